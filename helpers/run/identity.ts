import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * One process of one machine for good: a pid alone is used again after a while, and two containers can share a pid, a
 * temporary folder or a Docker daemon.
 */
export interface ProcessIdentity {
  /** Its name and, where the system has one, its machine id: two machines may go by one name. */
  host: string
  /** Changes at every boot; empty where the system does not tell. */
  bootId: string
  /** The pid namespace that `pid` counts in; empty where the system does not tell. */
  pidNamespace: string
  pid: number
  /** When it started, in the system's own form: compared, never read. */
  start: string
}

export function identify(pid: number): ProcessIdentity {
  return {
    host: [hostname(), tryTo(() => readFileSync('/etc/machine-id', 'utf8').trim())].filter(Boolean).join('/'),
    bootId: tryTo(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) ?? '',
    pidNamespace: tryTo(() => readlinkSync('/proc/self/ns/pid')) ?? '',
    pid,
    start: startOf(pid) ?? '',
  }
}

/**
 * When a process started, in the system's own form; `undefined` when there is no such process (a zombie is none).
 * @see proc(5), `/proc/pid/stat`, fields 3 and 22
 */
export function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined
  }
  const stat = tryTo(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

/**
 * `alive` and `dead` are proven; `elsewhere` is a process of another machine or pid namespace, of which nothing is known
 * here. A process of an earlier boot of this machine is dead.
 */
export function stateOf(identity: ProcessIdentity): 'alive' | 'dead' | 'elsewhere' {
  const here = identify(process.pid)
  if (identity.host !== here.host) return 'elsewhere'
  if (identity.bootId !== here.bootId) return 'dead'
  if (identity.pidNamespace !== here.pidNamespace) return 'elsewhere'
  return identity.start !== '' && startOf(identity.pid) === identity.start ? 'alive' : 'dead'
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
