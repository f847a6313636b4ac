import { Failure } from '../failure.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'

/** Every descendant of a process, a pid a word. From the kernel where it tells them: an image may have no `ps`. */
const DESCENDANTS = `children() {
    if test -r "/proc/$1/task/$1/children"; then cat "/proc/$1/task/$1/children"; else ps -A -o pid= -o ppid= | awk -v parent="$1" '$2 == parent { print $1 }'; fi
  }
  descendants() { for child in $(children "$1"); do echo "$child"; descendants "$child"; done; }`

/**
 * `kill -9` of a running server with all that it has started, its restore_command too: the postmaster first, which so can
 * end nothing in order.
 * @returns how many processes it was, once none of them is left.
 * @throws {Failure} `nothing-killed` when it does not run: its postmaster.pid may name somebody else by now; `deadline-passed`,
 *   naming those that are still there.
 */
export async function killServer(node: PostgresNode): Promise<number> {
  if (!node.isRunning) throw new Failure('nothing-killed', `${node.name} is not running`)
  const killed = await node.exec(`${DESCENDANTS}
    postmaster=$(head -n 1 '${node.data.path}/postmaster.pid')
    all="$postmaster $(descendants "$postmaster")"
    for pid in $all; do kill -KILL "$pid" 2> /dev/null; done
    echo $all`)
  const pids = killed.split(/\s+/).filter(pid => /^\d+$/.test(pid))
  if (pids.length < 2) throw new Failure('nothing-killed', `${node.name} had no processes to kill: '${killed}'`)
  let left = pids.join(' ')
  await waitFor(
    `${node.name} and its ${pids.length - 1} children to be gone`,
    'processGone',
    async () => {
      left = await node.exec(stillThere(pids))
      return left === '' && !node.isRunning ? true : undefined
    },
    () => `the processes ${left}`,
  )
  return pids.length
}

/** One that has ended and that nobody has asked after has its number still, and does nothing. */
function stillThere(pids: readonly string[]): string {
  return `for pid in ${pids.join(' ')}; do
    if kill -0 "$pid" 2> /dev/null && ! grep -q '^State:.Z' "/proc/$pid/status" 2> /dev/null; then echo "$pid"; fi
  done`
}
