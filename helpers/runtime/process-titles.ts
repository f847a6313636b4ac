import { readFileSync } from 'node:fs'
import { execa } from 'execa'

/**
 * What the children of a process show as their command lines, on this machine. PostgreSQL's say what they are doing. Read
 * from the kernel where it has them (Linux): that starts no process, and takes less than a millisecond.
 */
export async function titlesOfChildren(pid: number): Promise<string[]> {
  if (process.platform === 'linux') {
    const children = tryRead(`/proc/${pid}/task/${pid}/children`)?.split(' ') ?? []
    return children.flatMap(child => (child === '' ? [] : [titleOf(tryRead(`/proc/${child}/cmdline`) ?? '')]))
  }
  const { stdout = '' } = await execa('ps', ['-axo', 'ppid=,command='], { reject: false })
  return stdout
    .split('\n')
    .map(line => /^\s*(\d+)\s+(.*)$/.exec(line))
    .flatMap(match => (match?.[1] === String(pid) ? [match[2] ?? ''] : []))
}

/** The same as a script for a shell on Linux, a title a line: of its own commands alone, since an image may have no `ps`. */
export function printTitlesOfChildren(pid: string): string {
  return `read -r children < /proc/${pid}/task/${pid}/children
    for child in $children; do title=; read -r title < /proc/$child/cmdline; printf '%s\\n' "$title"; done 2> /dev/null; true`
}

/** PostgreSQL fills up with NULs what its arguments took. @see PostgreSQL source, `src/backend/utils/misc/ps_status.c` */
function titleOf(commandLine: string): string {
  return commandLine.replace(/\0+$/, '').replaceAll('\0', ' ').trimEnd()
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
