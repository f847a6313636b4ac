import type { Finding, Signal, SignalName } from './signal.ts'

interface Condition<F> {
  /** As it was found last. */
  finding: F
  sinceSeconds: number
  /** There so much longer than gone, as far as two observations in a row tell: never below nothing, and at the most the window once it fires. */
  lastedSeconds: number
  firedAtSeconds?: number
  goneSinceSeconds?: number
}

/**
 * What these find is that nothing moves, between one observation and the next: one at which it is not found has seen something move,
 * so what comes after it is another standstill. An archive that is slow and takes one segment after another, or a recovery that
 * replays one after another, would otherwise be taken for one that stands still.
 */
const STANDSTILLS: ReadonlySet<SignalName> = new Set(['wal-growth-without-archiving', 'recovery-stall'])

/**
 * "Escalate if any of the above persists beyond your RTO window": a condition fires at the first observation at which it
 * has lasted longer than the window, and so never at a single observation, whatever the window.
 *
 * A standstill is over at the first observation at which something moved. It can so come and go faster than the window for ever, and
 * never fire: an archiver that stores one segment in each window. What that lets pile up is not missed: a segment that has waited
 * longer than the lag is lost, and that is no standstill.
 *
 * Any other condition may flap: an archive that is there at one look and not at the next is no archive. So its time is what it was
 * there less what it was gone: it fires once that is more than the window, and is over once it has been gone for that time again, the
 * window at the most. Where the time between two observations went is only known when both saw the same; that of a change counts for
 * neither. So it never fires unless it was there for longer than the window in all; it fires if it is there for longer than it is gone,
 * and looked at more often than it changes; it never goes from firing to quiet and back within less than two windows; and it clears one
 * window after its repair. What is gone for longer than it is there does not fire, and neither does what changes with every observation.
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
   * @returns a signal for each condition that is there or still fires, and for each that is over since the observation before.
   * @throws {RangeError} when the clock went backwards, or two findings are of one condition; nothing has changed then.
   */
  observe(findings: readonly F[], atSeconds: number): Signal<F>[] {
    if (!(atSeconds >= this.#lastSeconds))
      throw new RangeError(`the clock went backwards, from ${this.#lastSeconds} s to ${atSeconds} s`)
    const found = new Map(findings.map(finding => [keyOf(finding), finding]))
    if (found.size < findings.length)
      throw new RangeError(`two findings of one condition: ${findings.map(keyOf).join(', ')}`)

    const signals: Signal<F>[] = []
    const before = this.#conditions
    const passedSeconds = atSeconds - this.#lastSeconds
    this.#conditions = new Map()
    for (const [key, finding] of found) {
      const condition = this.#persist(before.get(key), finding, atSeconds, passedSeconds)
      this.#conditions.set(key, condition)
      signals.push(toSignal(condition))
    }
    for (const [key, known] of before) {
      if (found.has(key)) continue
      const condition = fade(known, atSeconds, passedSeconds)
      if (condition) this.#conditions.set(key, condition)
      if (condition?.firedAtSeconds !== undefined) signals.push(toSignal(condition))
      else if (known.firedAtSeconds !== undefined || known.goneSinceSeconds === undefined)
        signals.push({ state: 'quiet', finding: known.finding, clearedAtSeconds: atSeconds })
    }
    this.#lastSeconds = atSeconds
    return signals
  }

  #persist(known: Condition<F> | undefined, finding: F, atSeconds: number, passedSeconds: number): Condition<F> {
    if (!known) return { finding, sinceSeconds: atSeconds, lastedSeconds: 0 }
    const { goneSinceSeconds, ...there } = known
    const lastedSeconds = known.lastedSeconds + (goneSinceSeconds === undefined ? passedSeconds : 0)
    if (!(lastedSeconds > this.windowSeconds)) return { ...there, finding, lastedSeconds }
    return { firedAtSeconds: atSeconds, ...there, finding, lastedSeconds: this.windowSeconds }
  }
}

/** At an observation without it. @returns undefined when nothing is left of it. */
function fade<F extends Finding>(
  known: Condition<F>,
  atSeconds: number,
  passedSeconds: number,
): Condition<F> | undefined {
  if (STANDSTILLS.has(known.finding.name)) return undefined
  const { goneSinceSeconds = atSeconds } = known
  const lastedSeconds = known.lastedSeconds - (known.goneSinceSeconds === undefined ? 0 : passedSeconds)
  return lastedSeconds > 0 ? { ...known, goneSinceSeconds, lastedSeconds } : undefined
}

function keyOf({ name, blocks }: Finding): string {
  return `${name}: ${blocks}`
}

function toSignal<F extends Finding>({
  finding,
  sinceSeconds,
  firedAtSeconds,
  goneSinceSeconds,
}: Condition<F>): Signal<F> {
  if (firedAtSeconds === undefined) return { state: 'pending', finding, sinceSeconds }
  return {
    state: 'firing',
    finding,
    sinceSeconds,
    firedAtSeconds,
    latencySeconds: firedAtSeconds - sinceSeconds,
    ...(goneSinceSeconds === undefined ? {} : { goneSinceSeconds }),
  }
}
