import { readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { execaSync } from 'execa'
import { waitFor } from '../wait.ts'
import { startOf } from './identity.ts'
import { descendantsOf, listProcesses } from './process-tree.ts'

/** How processes that belong together are found without having been written down. */
export interface Mark {
  /** In the environment that they inherit: in a session of its own too, and when they have just been started. */
  variable: string
  value: string
  /** Where PostgreSQL's processes work: they write their titles over their environment. */
  folder: string
}

/**
 * Processes that carry a mark, and all that descend from them, this process and its parent aside. Only where the system
 * shows the environment of a process (Linux); elsewhere none.
 */
export function findMarked({ variable, value, folder }: Mark): number[] {
  if (process.platform !== 'linux') return []
  const text = `\0${variable}=${value}\0`
  const isMarked = (pid: number) =>
    `\0${readProc(pid, 'environ')}\0`.includes(text) ||
    // Nobody else there: it may be a shell in which somebody looks at the data.
    (`${workingFolderOf(pid)}/`.startsWith(`${folder}/`) && isPostgres(pid))
  const listed = listProcesses()
  const marked = [...listed.keys()].filter(isMarked)
  const found = new Set([...marked, ...descendantsOf(marked, listed)])
  found.delete(process.pid)
  found.delete(process.ppid)
  return [...found].filter(pid => Number(startOf(pid)) === listed.get(pid)?.start)
}

/**
 * Ends them: PostgreSQL's with SIGQUIT, on which a postmaster gives its shared memory back, and then all with SIGKILL.
 * @returns how many there were.
 * @throws {Failure} `deadline-passed` when one is still there after SIGKILL.
 */
export async function endProcesses(pids: readonly number[]): Promise<number> {
  const running = pids.filter(pid => startOf(pid) !== undefined)
  for (const pid of running) {
    send(pid, 'SIGCONT')
    send(pid, isPostgres(pid) ? 'SIGQUIT' : 'SIGKILL')
  }
  const gone = () => (running.every(pid => startOf(pid) === undefined) ? true : undefined)
  if (running.length > 0) {
    await waitFor('processes to end', 'immediateShutdown', gone).catch(() => undefined)
    for (const pid of running) if (startOf(pid) !== undefined) send(pid, 'SIGKILL')
    await waitFor(`processes ${running.join(', ')} to be gone`, 'processGone', gone)
  }
  return running.length
}

/**
 * Ends those that carry a mark until there are none: one may have begun another while it was being ended.
 * @returns how many there were.
 * @throws {Failure} `deadline-passed` when one is still there, or another one always is.
 */
export async function endMarked(mark: Mark): Promise<number> {
  let ended = 0
  let found: number[] = []
  await waitFor(
    'nothing of it to run',
    'markedGone',
    async () => {
      found = findMarked(mark)
      ended += await endProcesses(found)
      return found.length === 0 ? true : undefined
    },
    () => `the processes ${found.join(', ')}`,
  )
  return ended
}

/**
 * A postmaster that was killed leaves a small System V segment behind; lines 1 and 7 of `postmaster.pid` name its maker and
 * it. Removed only when it is that one (ids are given anew after a boot) and nobody is attached to it.
 * @see PostgreSQL source, `src/include/utils/pidfile.h`, and `sysv_shmem.c`
 */
export function freeSharedMemory(dataDirectory: string): void {
  const lines = tryRead(path.join(dataDirectory, 'postmaster.pid'))?.split('\n')
  const id = lines?.[6]?.trim().split(/\s+/)[1]
  // postgres without a postmaster, as initdb runs it, writes its pid with a minus.
  const maker = lines?.[0]?.replace('-', '')
  if (id === undefined) return
  const isIdle = tryRead('/proc/sysvipc/shm')
    ?.split('\n')
    .map(line => line.trim().split(/\s+/))
    .some(fields => fields[1] === id && fields[4] === maker && fields[6] === '0')
  if (isIdle) execaSync('ipcrm', ['-m', id], { reject: false })
}

/** Where that cannot be seen, a signal that PostgreSQL can use does not harm anybody else. */
function isPostgres(pid: number): boolean {
  return process.platform !== 'linux' || readProc(pid, 'comm').trim() === 'postgres'
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function workingFolderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

function readProc(pid: number, file: string): string {
  return tryRead(`/proc/${pid}/${file}`) ?? ''
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return undefined
  }
}
