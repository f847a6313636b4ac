import { spawnSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../failure.ts'
import { findServerUser } from './embedded-user.ts'

/** Which drills are run, as far as their servers' room depends on it; `restoredBytes`: of a backup of the user. */
export type Load = 'core' | 'nightly' | 'soak' | { restoredBytes: number }

/** What they have on disk at their peak, two at a time, and a quarter more. */
const ROOM_MIB = { core: 640, nightly: 1024, soak: 11_264 }
const MIB = 1024 * 1024

/** A restored server grows while it replays and is checked; how much WAL there is, nobody has counted yet. */
function roomFor(load: Load): { mebibytes: number; whom: string } {
  if (typeof load === 'string') return { mebibytes: ROOM_MIB[load], whom: `the ${load} drills need` }
  return { mebibytes: ROOM_MIB.core + Math.ceil((1.25 * load.restoredBytes) / MIB), whom: 'the restored backup needs' }
}
/** It stands in archive_command, where the shell reads it, and PostgreSQL what a `%` says. */
const PLAIN_PATH = /^[\p{L}\p{N}/._+@=:,-]*$/u

/**
 * That servers can be run below a folder of the temporary one: its path can stand in a command, there is room, and the user
 * they run as can get there.
 * Looked at by going there, since modes do not tell all (access control lists, mounts).
 * @throws {CannotRun} when not.
 */
export function assertHoldsServers(directory: string, load: Load): void {
  const folder = path.dirname(directory)
  if (!PLAIN_PATH.test(folder)) {
    throw new CannotRun(
      `the temporary folder ${folder} has a character in its path that shells and archive commands take for something else: set TMPDIR to one with letters, digits and ._+@=:,- alone`,
    )
  }
  const { bavail, bsize } = statfsSync(directory)
  const freeMiB = Math.floor((bavail * bsize) / MIB)
  const { mebibytes, whom } = roomFor(load)
  if (freeMiB < mebibytes) {
    throw new CannotRun(
      `the temporary folder ${folder} has ${freeMiB} MiB free, and ${whom} ${mebibytes}: make room there, or set TMPDIR to a folder with more`,
    )
  }
  const user = findServerUser()
  if (
    user &&
    spawnSync('sh', ['-c', 'cd "$1"', 'sh', directory], { ...user, cwd: '/', stdio: 'ignore' }).status !== 0
  ) {
    throw new CannotRun(
      `the temporary folder ${folder} cannot be entered by the user nobody, whom the servers run as: set TMPDIR to one that every user may enter, or start the drills as an ordinary user`,
    )
  }
}
