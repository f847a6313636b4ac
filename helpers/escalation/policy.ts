import type { Finding, Signal } from './signal.ts'

interface Condition<F> {
  finding: F
  sinceSeconds: number
  firedAtSeconds?: number
}

/**
 * "Escalate if any of the above persists beyond your RTO window": a condition fires at the first observation at which it
 * has lasted longer than the window, and so never at a single observation, whatever the window.
 *
 * A condition that is absent from one observation is over: when it comes back it starts anew. A fault that flaps faster
 * than the window is thus never escalated by this policy; one that does not go away always is. The other choice, to
 * forgive an absence, would page somebody for what has repaired itself.
 *
 * Knows nothing of clocks: times come with the observations.
 */
export class EscalationPolicy<F extends Finding = Finding> {
  readonly windowSeconds: number
  #conditions = new Map<string, Condition<F>>()
  #lastSeconds = Number.NEGATIVE_INFINITY

  /** @throws {RangeError} for a window that is negative or not a number. */
  constructor({ windowSeconds }: { windowSeconds: number }) {
    if (!(windowSeconds >= 0)) throw new RangeError(`an escalation window of ${windowSeconds} s makes no sense`)
    this.windowSeconds = windowSeconds
  }

  /**
   * @param findings all that was found in this observation, each condition once.
   * @returns a signal for each condition that is there, and for each that was there at the observation before and has gone.
   * @throws {RangeError} when the clock went backwards, or two findings are of one condition; nothing has changed then.
   */
  observe(findings: readonly F[], atSeconds: number): Signal<F>[] {
    if (!(atSeconds >= this.#lastSeconds))
      throw new RangeError(`the clock went backwards, from ${this.#lastSeconds} s to ${atSeconds} s`)
    const found = new Map(findings.map(finding => [keyOf(finding), finding]))
    if (found.size < findings.length)
      throw new RangeError(`two findings of one condition: ${findings.map(keyOf).join(', ')}`)

    const gone = [...this.#conditions].filter(([key]) => !found.has(key)).map(([, { finding }]) => finding)
    this.#conditions = new Map(
      [...found].map(([key, finding]) => [key, this.#persist(this.#conditions.get(key), finding, atSeconds)]),
    )
    this.#lastSeconds = atSeconds
    return [
      ...[...this.#conditions.values()].map(toSignal),
      ...gone.map(finding => ({ state: 'quiet' as const, finding, clearedAtSeconds: atSeconds })),
    ]
  }

  #persist(known: Condition<F> | undefined, finding: F, atSeconds: number): Condition<F> {
    if (!known) return { finding, sinceSeconds: atSeconds }
    if (known.firedAtSeconds !== undefined || !(atSeconds - known.sinceSeconds > this.windowSeconds))
      return { ...known, finding }
    return { ...known, finding, firedAtSeconds: atSeconds }
  }
}

function keyOf({ name, blocks }: Finding): string {
  return `${name}: ${blocks}`
}

function toSignal<F extends Finding>({ finding, sinceSeconds, firedAtSeconds }: Condition<F>): Signal<F> {
  if (firedAtSeconds === undefined) return { state: 'pending', finding, sinceSeconds }
  return { state: 'firing', finding, sinceSeconds, firedAtSeconds, latencySeconds: firedAtSeconds - sinceSeconds }
}
