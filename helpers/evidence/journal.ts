import { AsyncLocalStorage } from 'node:async_hooks'
import { Failure } from '../failure.ts'
import type {
  Attached,
  Deviation,
  FaultSeen,
  Observations,
  Prediction,
  Problem,
  Rpo,
  Rto,
  Sizes,
  Step,
  Timeline,
  Verdict,
} from './evidence.ts'

/** What a drill did, saw and measured, as plain data: it crosses from the worker that runs the drill to the report. */
export interface JournalRecord {
  id: string
  runbook: string
  startedAt: string
  steps: Step[]
  /** Where data is that the user keeps, and how to look at it. */
  kept: string[]
  /** What was proven, in a sentence each. A drill without any has proven nothing, however it ended. */
  proofs: string[]
  rto?: Rto
  rpo?: Rpo
  predictions?: Prediction[]
  sizes: Sizes
  deviations: Deviation[]
  timeline?: Timeline
  /** Files of the bundle that belong to it. */
  attached: Attached[]
  faults?: FaultSeen[]
  problems: Problem[]
  sabotage?: string
}

/** Told of each step as it ends, so that the terminal can show it. */
export type StepListener = (step: Step, depth: number) => void

/** The journal of one drill while it runs. `record` is live: it always holds what is known so far. */
export class Journal {
  readonly record: JournalRecord
  readonly #onStep: StepListener
  /** The steps that the code now running stands in: several may be open side by side. */
  readonly #open = new AsyncLocalStorage<readonly Step[]>()

  constructor(drill: Pick<JournalRecord, 'id' | 'runbook'>, onStep: StepListener = () => undefined) {
    this.record = {
      ...drill,
      startedAt: new Date().toISOString(),
      steps: [],
      proofs: [],
      kept: [],
      sizes: {},
      deviations: [],
      attached: [],
      problems: [],
    }
    this.#onStep = onStep
  }

  /** Runs `body` as a step, within the step that is open. What it throws is noted, once, and goes on. */
  async step<T>(title: string, body: () => Promise<T> | T): Promise<T> {
    const step: Step = {
      title,
      startedAt: new Date().toISOString(),
      durationSeconds: 0,
      verdict: 'unknown',
      observations: {},
      steps: [],
    }
    const outer = this.#open.getStore() ?? []
    const siblings = outer.at(-1)?.steps ?? this.record.steps
    siblings.push(step)
    const startedAtMs = performance.now()
    try {
      const value = await this.#open.run([...outer, step], async () => body())
      step.verdict = 'passed'
      return value
    } catch (error) {
      step.verdict = verdictOf(error)
      throw error
    } finally {
      step.durationSeconds = (performance.now() - startedAtMs) / 1000
      this.#onStep(step, outer.length)
    }
  }

  /** Adds to what the open step saw; outside a step, to the last one. */
  observe(observations: Observations): void {
    const step = this.#open.getStore()?.at(-1) ?? this.record.steps.at(-1)
    if (!step) throw new Error('nothing can be observed before the first step')
    Object.assign(step.observations, observations)
  }

  /** Data that stays when the drill is over. */
  keep(where: string): void {
    this.record.kept.push(where)
  }

  /** A proof that held: to be called once nothing can contradict it any more. */
  prove(sentence: string): void {
    this.record.proofs.push(sentence)
  }

  /** What the runbook does not say and had to be done. However often it is done, it is told once. */
  deviate(deviation: Deviation): void {
    if (!this.record.deviations.includes(deviation)) this.record.deviations.push(deviation)
  }

  /** What the signals did at a fault, once they are known to have done what they must. */
  fault(seen: FaultSeen): void {
    this.record.faults = [...(this.record.faults ?? []), seen]
  }

  /** How long the same recovery would take at another size. */
  predict(prediction: Prediction): void {
    this.record.predictions = [...(this.record.predictions ?? []), prediction]
  }

  /** Sizes beside which times stand. */
  measure(sizes: Sizes): void {
    Object.assign(this.record.sizes, sizes)
  }
}

/**
 * What a thrown error makes of a drill: a proof that did not hold is `failed`; an error of another kind means that the
 * check itself did not work, and proves nothing.
 */
export function verdictOf(error: unknown): Extract<Verdict, 'failed' | 'unknown'> {
  return error instanceof Failure || (error instanceof Error && error.name === 'AssertionError') ? 'failed' : 'unknown'
}
