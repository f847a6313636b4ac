import { readFileSync } from 'node:fs'
import { execa } from 'execa'

/**
 * What the processes that a process has started show as their command lines, and those that they have started in turn, on this
 * machine. PostgreSQL's say what they are doing. Read from the kernel where it has them (Linux): that starts no process, and takes
 * about a millisecond.
 */
export async function titlesOfDescendants(pid: number): Promise<string[]> {
  if (process.platform === 'linux') {
    const children = tryRead(`/proc/${pid}/task/${pid}/children`)?.split(' ').filter(Boolean).map(Number) ?? []
    const titles = children.map(async child => [
      titleOf(tryRead(`/proc/${child}/cmdline`) ?? ''),
      ...(await titlesOfDescendants(child)),
    ])
    return (await Promise.all(titles)).flat()
  }
  const { stdout = '' } = await execa('ps', ['-axo', 'pid=,ppid=,command='], { reject: false })
  const processes = stdout
    .split('\n')
    .map(line => /^\s*(\d+)\s+(\d+)\s(.*)$/.exec(line))
    .map(match => ({ pid: Number(match?.[1]), parent: Number(match?.[2]), title: match?.[3] ?? '' }))
  const startedBy = (parent: number): string[] =>
    processes.filter(one => one.parent === parent).flatMap(({ pid, title }) => [title, ...startedBy(pid)])
  return startedBy(pid)
}

/** The same as a script for a shell on Linux, a title a line: of its own commands alone, since an image may have no `ps`. */
export function printTitlesOfDescendants(pid: string): string {
  return `titles() {
      read -r children < /proc/$1/task/$1/children
      for child in $children; do title=; read -r title < /proc/$child/cmdline; printf '%s\\n' "$title"; titles $child; done
    }
    titles ${pid} 2> /dev/null; true`
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
