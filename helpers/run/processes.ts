import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { execaSync } from 'execa'
import { waitFor } from '../wait.ts'
import { startOf } from './identity.ts'

/**
 * Processes that carry `variable=value` in their environment, and all that descend from them, this process and its
 * parent aside. Finds what runs in a session of its own, and what was started but not yet written down. Only where the
 * system shows the environment of a process (Linux); elsewhere none.
 */
export function findMarked(variable: string, value: string): number[] {
  if (process.platform !== 'linux') return []
  const mark = `\0${variable}=${value}\0`
  const marked = new Set(allProcesses().filter(pid => `\0${readProc(pid, 'environ')}\0`.includes(mark)))
  for (const pid of descendantsOf(marked)) marked.add(pid)
  marked.delete(process.pid)
  marked.delete(process.ppid)
  return [...marked]
}

/**
 * Ends them: asks with SIGQUIT, on which a postmaster gives its shared memory back, and then kills.
 * @returns how many there were.
 * @throws {Failure} `deadline-passed` when one is still there after SIGKILL.
 */
export async function endProcesses(pids: readonly number[]): Promise<number> {
  const running = pids.filter(pid => startOf(pid) !== undefined)
  for (const pid of running) {
    send(pid, 'SIGCONT')
    send(pid, 'SIGQUIT')
  }
  const gone = () => (running.every(pid => startOf(pid) === undefined) ? true : undefined)
  if (running.length > 0) {
    await waitFor('processes to end', 'immediateShutdown', gone).catch(() => undefined)
    for (const pid of running) if (startOf(pid) !== undefined) send(pid, 'SIGKILL')
    await waitFor(`processes ${running.join(', ')} to be gone`, 'processGone', gone)
  }
  return running.length
}

export async function endMarked(variable: string, value: string): Promise<number> {
  return await endProcesses(findMarked(variable, value))
}

/**
 * A postmaster that was killed leaves a small System V segment behind; line 7 of `postmaster.pid` names it. Removed only
 * when nobody is attached to it.
 * @see PostgreSQL source, `src/include/utils/pidfile.h`, and `sysv_shmem.c`
 */
export function freeSharedMemory(dataDirectory: string): void {
  const id = tryRead(path.join(dataDirectory, 'postmaster.pid'))?.split('\n')[6]?.trim().split(/\s+/)[1]
  if (id === undefined) return
  const isIdle = tryRead('/proc/sysvipc/shm')
    ?.split('\n')
    .map(line => line.trim().split(/\s+/))
    .some(fields => fields[1] === id && fields[6] === '0')
  if (isIdle) execaSync('ipcrm', ['-m', id], { reject: false })
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function descendantsOf(roots: ReadonlySet<number>): number[] {
  const children = new Map<number, number[]>()
  for (const pid of allProcesses()) children.set(parentOf(pid), [...(children.get(parentOf(pid)) ?? []), pid])
  const found: number[] = []
  const queue = [...roots]
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child)
      queue.push(child)
    }
  }
  return found
}

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
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
