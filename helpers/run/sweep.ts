import { lstatSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { type ProcessIdentity, stateOf } from './identity.ts'
import { endMarked, endProcesses, findMarked, freeSharedMemory } from './processes.ts'
import { isKept, markOf, type Owned, RUN_DIRECTORY_PREFIX, readOwned, runsFolder } from './registry.ts'

/** What a sweep found and ended. After an orderly end of a run, all but the folder are leaks. */
export interface Swept {
  runId: string
  processes: number
  containers: number
  volumes: number
  networks: number
}

/**
 * Ends all that a run owns, by its registry, by the mark on its processes and by the label on its Docker resources; then
 * removes its folder. Where the user asked to keep the data, processes are ended and the rest stays.
 * @param workersToo also ends the processes that run drills: for a run whose owner is gone.
 * @throws when something stays; the registry then stays as well, for whoever sweeps next.
 */
export async function sweepRun(directory: string, { workersToo }: { workersToo: boolean }): Promise<Swept> {
  const entries = readOwned(directory)
  const runId = path.basename(directory).slice(RUN_DIRECTORY_PREFIX.length)
  const mark = markOf({ id: runId, directory })
  // First, since they would go on making things.
  if (workersToo) await endProcesses(aliveOf(entries, 'worker'))
  // Looked for once more: what is ended may have been starting something.
  const processes =
    (await endProcesses([...new Set([...aliveOf(entries, 'process'), ...findMarked(mark)])])) + (await endMarked(mark))
  const swept = { runId, processes, containers: 0, volumes: 0, networks: 0 }
  if (isKept(directory)) return swept
  if (entries.some(entry => entry.kind === 'docker')) {
    const { sweepDocker } = await import('../runtime/docker-resources.ts')
    Object.assign(swept, await sweepDocker(runId))
  }
  for (const folder of foldersIn(directory)) freeSharedMemory(path.join(directory, folder))
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  return swept
}

/**
 * Sweeps the runs of this user whose owner is proven dead: of this host, and of an earlier boot or no longer running.
 * Runs that live, or of whose owner nothing is known here, are left alone; so are those whose data the user kept.
 */
export async function sweepDeadRuns(): Promise<Swept[]> {
  const swept: Swept[] = []
  for (const directory of ownRunDirectories()) {
    const owner = readOwned(directory).find(entry => entry.kind === 'owner')
    if (!owner || stateOf(owner.process) !== 'dead' || isKept(directory)) continue
    // Where its Docker daemon does not answer now, its registry has to stay for a run that finds it.
    const found = await sweepRun(directory, { workersToo: true }).catch(() => undefined)
    if (found) swept.push(found)
  }
  return swept
}

/** Nobody else's: a folder planted in a temporary directory that all may write to must not tell us what to remove. */
function ownRunDirectories(): string[] {
  return foldersIn(runsFolder())
    .filter(name => name.startsWith(RUN_DIRECTORY_PREFIX))
    .map(name => path.join(runsFolder(), name))
    .filter(directory => {
      const status = lstatSync(directory, { throwIfNoEntry: false })
      return status?.isDirectory() && status.uid === process.getuid?.() && (status.mode & 0o022) === 0
    })
}

/** By name; none where the folder is gone, which another sweep may have removed meanwhile. */
function foldersIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => name)
  } catch {
    return []
  }
}

function aliveOf(entries: Owned[], kind: 'worker' | 'process'): number[] {
  return entries
    .flatMap((entry): ProcessIdentity[] => (entry.kind === kind ? [entry.process] : []))
    .filter(process => stateOf(process) === 'alive')
    .map(({ pid }) => pid)
}
