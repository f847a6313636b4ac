import { readFileSync } from 'node:fs'
import { availableParallelism, release, totalmem, type, version } from 'node:os'
import { parse } from 'dotenv'
import type { Evidence } from './evidence.ts'

/** The machine that the suite runs on; the servers may run on another, where the Docker daemon is remote. */
export function describeMachine(): Evidence['machine'] {
  return {
    platform: process.platform,
    os: systemName('/etc/os-release'),
    kernel: `${type()} ${release()}`,
    architecture: process.arch,
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.version,
  }
}

/**
 * The name of a Linux by its file, whose lines are those of a shell; of another system, its version. Exported for its test.
 * @see https://www.freedesktop.org/software/systemd/man/latest/os-release.html
 */
export function systemName(osRelease: string): string {
  try {
    return parse(readFileSync(osRelease)).PRETTY_NAME || version()
  } catch {
    return version()
  }
}
