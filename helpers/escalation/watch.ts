import { waitFor } from '../wait.ts'
import type { EscalationPolicy } from './policy.ts'
import { type Finding, SIGNAL_NAMES, type Signal, type SignalName, type SignalState } from './signal.ts'

/** A change of state, for the evidence. `atSeconds` is of the watch's clock. */
export interface Transition {
  atSeconds: number
  name: SignalName
  blocks: string
  state: SignalState
  sentence: string
}

/** What a signal did, whatever it was raised for: of several conditions of its name the worst. */
export interface SignalCourse {
  name: SignalName
  /** The first look, and then each change. Seconds of the watch's clock. */
  states: readonly { atSeconds: number; state: SignalState }[]
}

const WORSE: readonly SignalState[] = ['quiet', 'pending', 'firing']

const monotonicSeconds = () => performance.now() / 1000

/** Detectors looked through again and again, and a policy that says what is to be escalated. */
export class EscalationWatch<F extends Finding = Finding> {
  readonly #observe: () => Promise<readonly F[]>
  readonly #policy: EscalationPolicy<F>
  readonly #clock: () => number
  readonly #history: Transition[] = []
  readonly #courses = SIGNAL_NAMES.map(name => ({ name, states: [] as { atSeconds: number; state: SignalState }[] }))
  #signals: readonly Signal<F>[] | undefined
  #states = new Map<string, SignalState>()
  #sampledAtSeconds: number | undefined
  #intervalSeconds: number | undefined
  #looks = 0

  /**
   * @param observe looks once and gives all that the detectors find. When it throws, the observation counts as none.
   * @param clock in seconds, never going backwards: the wall clock may.
   */
  constructor({
    observe,
    policy,
    clock = monotonicSeconds,
  }: { observe: () => Promise<readonly F[]>; policy: EscalationPolicy<F>; clock?: () => number }) {
    this.#observe = observe
    this.#policy = policy
    this.#clock = clock
  }

  /** Every change of state so far, the earliest first. What was never found is not in it. */
  get history(): readonly Transition[] {
    return this.#history
  }

  /** Of every signal, also of one that was quiet throughout; without any state before the first look. */
  get courses(): readonly SignalCourse[] {
    return this.#courses
  }

  get windowSeconds(): number {
    return this.#policy.windowSeconds
  }

  /** How many observations there were. */
  get looks(): number {
    return this.#looks
  }

  /** Between the last two observations, in seconds: how late a signal can be. Undefined before there were two. */
  get intervalSeconds(): number | undefined {
    return this.#intervalSeconds
  }

  /** One observation. It is dated by its end, when what it saw is known. One at a time. */
  async sample(): Promise<readonly Signal<F>[]> {
    const findings = await this.#observe()
    const atSeconds = this.#clock()
    const signals = this.#policy.observe(findings, atSeconds)
    this.#note(signals, atSeconds)
    this.#signals = signals
    this.#looks++
    if (this.#sampledAtSeconds !== undefined) this.#intervalSeconds = atSeconds - this.#sampledAtSeconds
    this.#sampledAtSeconds = atSeconds
    return signals
  }

  /**
   * Samples until a signal of that name is in `state`; `quiet` means that none of that name is pending or firing.
   * @returns the signals of that sample.
   * @throws {Failure} `deadline-passed` after the deadline `signal` plus the policy's window, with what was seen last.
   */
  until(state: SignalState, name: SignalName): Promise<readonly Signal<F>[]> {
    return waitFor(
      `the signal ${name} to be ${state}`,
      'signal',
      async () => {
        const signals = await this.sample()
        const of = signals.filter(({ finding }) => finding.name === name)
        const reached =
          state === 'quiet' ? of.every(signal => signal.state === 'quiet') : of.some(signal => signal.state === state)
        return reached ? signals : undefined
      },
      () => describe(this.#signals ?? []),
      this.#policy.windowSeconds * 1000,
    )
  }

  #note(signals: readonly Signal<F>[], atSeconds: number): void {
    const states = new Map<string, SignalState>()
    for (const { state, finding } of signals) {
      const key = `${finding.name}: ${finding.blocks}`
      states.set(key, state)
      if (this.#states.get(key) !== state) {
        this.#history.push({ atSeconds, name: finding.name, blocks: finding.blocks, state, sentence: finding.sentence })
      }
    }
    this.#states = states
    for (const { name, states: course } of this.#courses) {
      const now = signals.filter(({ finding }) => finding.name === name).map(({ state }) => WORSE.indexOf(state))
      const state = WORSE[Math.max(0, ...now)] ?? 'quiet'
      if (course.at(-1)?.state !== state) course.push({ atSeconds, state })
    }
  }
}

function describe(signals: readonly Signal[]): string {
  return (
    signals.map(({ state, finding }) => `${finding.name} ${state}: ${finding.sentence}`).join('; ') || 'nothing found'
  )
}
