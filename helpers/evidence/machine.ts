import { availableParallelism, totalmem } from 'node:os'
import type { Evidence } from './evidence.ts'

/** The machine that the suite runs on; the servers may run on another, where the Docker daemon is remote. */
export function describeMachine(): Evidence['machine'] {
  return {
    platform: process.platform,
    architecture: process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
  }
}
