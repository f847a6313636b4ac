/** What the runbook's §4 escalates. */
export const SIGNAL_NAMES = ['missing-archive-segment', 'wal-growth-without-archiving', 'recovery-stall'] as const
export type SignalName = (typeof SIGNAL_NAMES)[number]

/** What a detector has found in one observation. */
export interface Finding {
  name: SignalName
  /** What stands in the way of what: with `name` it tells one condition from another, so it stays the same while details change. */
  blocks: string
  /** For the one who is paged: what is wrong, where, and what it means. */
  sentence: string
}

/**
 * A condition and how long it has lasted. Times are seconds of the clock that the policy was given.
 * - `pending`: found, for no longer than the window
 * - `firing`: has lasted longer than the window: somebody is to be told. With `goneSinceSeconds` it was not found any more from
 *   then on, and has not been gone for long enough to be over
 * - `quiet`: was pending or firing at the observation before, and is over
 */
export type Signal<F extends Finding = Finding> =
  | { state: 'quiet'; finding: F; clearedAtSeconds: number }
  | { state: 'pending'; finding: F; sinceSeconds: number }
  | {
      state: 'firing'
      finding: F
      sinceSeconds: number
      firedAtSeconds: number
      latencySeconds: number
      goneSinceSeconds?: number
    }

export type SignalState = Signal['state']
