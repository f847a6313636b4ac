import { setTimeout as delay } from 'node:timers/promises'
import { type Deadline, deadlinesMs } from './deadlines.ts'
import { Failure } from './failure.ts'

/** Between two looks at a fact that nobody announces. Short: it adds to every recovery time that is measured. */
const LOOK_EVERY_MS = 10

/**
 * Looks until `look` gives something other than `undefined`, and returns it.
 * @param what the fact waited for, as it would stand after "waited for".
 * @param lastSeen describes the last state looked at, for the failure's message.
 * @param extraMs on top of the deadline: an escalation's window, which the user sets.
 * @throws {Failure} `deadline-passed`, naming the fact, the deadline and the last state seen.
 */
export async function waitFor<T>(
  what: string,
  deadline: Deadline,
  look: () => Promise<T | undefined> | T | undefined,
  lastSeen?: () => string,
  extraMs = 0,
): Promise<T> {
  const timeoutMs = deadlinesMs[deadline] + extraMs
  const startedAt = performance.now()
  const late = Symbol('late')
  let timer: NodeJS.Timeout | undefined
  // A look may itself hang: at a server that is paused, a query does.
  const deadlinePassed = new Promise<typeof late>(resolve => {
    timer = setTimeout(resolve, timeoutMs, late)
  })
  try {
    for (;;) {
      const found = await Promise.race([look(), deadlinePassed])
      if (found !== late && found !== undefined) return found
      if (found === late || performance.now() - startedAt > timeoutMs) {
        const seen = lastSeen?.()
        throw new Failure(
          'deadline-passed',
          `waited ${timeoutMs / 1000} s for ${what}${seen ? `; last seen: ${seen}` : ''}`,
          { what, deadline, timeoutMs, lastSeen: seen },
        )
      }
      await delay(LOOK_EVERY_MS)
    }
  } finally {
    clearTimeout(timer)
  }
}
