import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { CannotRun } from '../../helpers/failure.ts'
import { identify, type ProcessIdentity, stateOf } from '../../helpers/run/identity.ts'

/** A turn is the writing of a run's reports: seconds. */
const TURN_MS = 60_000
const LOOK_AGAIN_MS = 20

/**
 * Calls `body` while no other process that does the same for `file` is in its own. The lock of a process that is dead is
 * taken over. Synchronous, and blocks the process while it waits.
 * @throws {CannotRun} when the other process has not ended its turn after a minute.
 */
export function locked<T>(file: string, body: () => T): T {
  acquire(file)
  try {
    return body()
  } finally {
    rmSync(file, { force: true })
  }
}

function acquire(file: string): void {
  const deadlineMs = performance.now() + TURN_MS
  while (!take(file)) {
    const owner = ownerOf(file)
    if (owner && stateOf(owner) === 'dead' && takeAway(file)) continue
    if (performance.now() > deadlineMs)
      throw new CannotRun(
        `${file} is held ${owner ? `by the process ${owner.pid} of ${owner.host}: end it` : 'by nobody that it names: see who uses it'}, or remove ${file} and ${takeoverOf(file)} when it is gone`,
      )
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS)
  }
}

/** A link to a file that is whole already: nobody ever sees a lock that does not say whose it is. */
function take(file: string): boolean {
  // Not by pid: two containers that share the folder may share one.
  const own = `${file}.${randomUUID()}`
  try {
    writeFileSync(own, JSON.stringify(identify(process.pid)))
    linkSync(own, file)
    return true
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    throw new CannotRun(`${file} cannot be written (${code}): make room for it, or let this user write there`, {
      cause,
    })
  } finally {
    rmSync(own, { force: true })
  }
}

function ownerOf(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    // It was given back at this moment.
    return undefined
  }
}

const takeoverOf = (file: string) => `${file}.takeover`

/**
 * Removes the lock of a dead process. One process at a time may, and looks again before it does: another may have removed
 * it meanwhile, and what is there now would be the lock of a process that lives.
 */
function takeAway(file: string): boolean {
  if (!take(takeoverOf(file))) return false
  try {
    const owner = ownerOf(file)
    if (owner && stateOf(owner) === 'dead') rmSync(file)
    return true
  } finally {
    rmSync(takeoverOf(file))
  }
}
