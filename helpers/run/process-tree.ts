import { readdirSync, readFileSync } from 'node:fs'

/** As the kernel tells of it in one read, so that what is said of it belongs together. */
export interface ListedProcess {
  parent: number
  /** In clock ticks since the machine started: comparable, and equal for what started within a hundredth of a second. */
  start: number
}

/** All processes that can be seen, by pid. One after the other: while they are read, others begin, end and are adopted. */
export function listProcesses(): Map<number, ListedProcess> {
  const listed = new Map<number, ListedProcess>()
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? readProcess(name) : undefined
    if (found) listed.set(Number(name), found)
  }
  return listed
}

/**
 * All that descend from some processes, without these. Where a pid was given anew while the list was made, its owner is
 * younger than those who name it as their parent, and is not theirs. One that is not listed has no descendants.
 */
export function descendantsOf(roots: Iterable<number>, listed: ReadonlyMap<number, ListedProcess>): number[] {
  const children = new Map<number, number[]>()
  for (const [pid, { parent, start }] of listed) {
    const isParents = start >= (listed.get(parent)?.start ?? Number.POSITIVE_INFINITY)
    if (isParents) children.set(parent, [...(children.get(parent) ?? []), pid])
  }
  const given = new Set(roots)
  // A set may grow while it is walked, and holds each once: a list made while processes come and go can hold a circle.
  const found = new Set(given)
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child)
  return [...found].filter(pid => !given.has(pid))
}

/** @see proc(5), `/proc/pid/stat`, fields 4 and 22; the second is the program's name, in parentheses, with any character */
function readProcess(pid: string): ListedProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), start: Number(fields[19]) }
  } catch {
    return undefined
  }
}
