import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type ProcessIdentity, stateOf } from './identity.ts'
import { endProcesses, findMarked, freeSharedMemory } from './processes.ts'
import { type Owned, RUN_DIRECTORY_PREFIX, RUN_ID_VARIABLE, readOwned } from './registry.ts'

/** What a sweep found and ended. After an orderly end of a run, all but the folder are leaks. */
export interface Swept {
  runId: string
  processes: number
  containers: number
  volumes: number
  networks: number
}

function runIdOf(directory: string): string {
  return path.basename(directory).slice(RUN_DIRECTORY_PREFIX.length)
}

/**
 * Ends all that a run owns, by its registry, by the mark on its processes and by the label on its Docker resources; then
 * removes its folder. Where the user asked to keep the data, processes are ended and the rest stays.
 * @param workersToo also ends the processes that run drills: for a run whose owner is gone.
 */
export async function sweepRun(directory: string, { workersToo }: { workersToo: boolean }): Promise<Swept> {
  const entries = readOwned(directory)
  const runId = runIdOf(directory)
  // First, since they would go on making things.
  if (workersToo) await endProcesses(aliveOf(entries, 'worker'))
  const processes = await endProcesses([
    ...new Set([...aliveOf(entries, 'process'), ...findMarked(RUN_ID_VARIABLE, runId)]),
  ])
  const isKept = entries.some(entry => entry.kind === 'kept')
  let docker = { containers: 0, volumes: 0, networks: 0 }
  if (!isKept && entries.some(entry => entry.kind === 'docker')) {
    const { sweepDocker } = await import('../runtime/docker-resources.ts')
    docker = await sweepDocker(runId)
  }
  if (!isKept && existsSync(directory)) {
    for (const folder of readdirSync(directory)) freeSharedMemory(path.join(directory, folder))
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  }
  return { runId, processes, ...docker }
}

/**
 * Sweeps the runs of this user whose owner is proven dead: of this host, and of an earlier boot or no longer running.
 * Runs that live, or of whose owner nothing is known here, are left alone; so are those whose data the user kept.
 */
export async function sweepDeadRuns(): Promise<Swept[]> {
  const swept: Swept[] = []
  for (const directory of ownRunDirectories()) {
    const entries = readOwned(directory)
    const owner = entries.find(entry => entry.kind === 'owner')
    if (!owner || stateOf(owner.process) !== 'dead' || entries.some(entry => entry.kind === 'kept')) continue
    // Where its Docker daemon does not answer now, its registry has to stay for a run that finds it.
    const found = await sweepRun(directory, { workersToo: true }).catch(() => undefined)
    if (found) swept.push(found)
  }
  return swept
}

/** Nobody else's: a folder planted in a temporary directory that all may write to must not tell us what to remove. */
function ownRunDirectories(): string[] {
  return readdirSync(tmpdir())
    .filter(name => name.startsWith(RUN_DIRECTORY_PREFIX))
    .map(name => path.join(tmpdir(), name))
    .filter(directory => {
      const status = lstatSync(directory, { throwIfNoEntry: false })
      return status?.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o022) === 0
    })
}

function aliveOf(entries: Owned[], kind: 'worker' | 'process'): number[] {
  return entries
    .flatMap((entry): ProcessIdentity[] => (entry.kind === kind ? [entry.process] : []))
    .filter(process => stateOf(process) === 'alive')
    .map(({ pid }) => pid)
}
