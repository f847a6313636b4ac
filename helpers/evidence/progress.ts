import { z } from 'zod'

/** How far a long step has come: what crosses from the worker that takes it to the terminal, as JSON in an annotation. */
const progressSchema = z.strictObject({
  number: z.int().positive().describe('Tells it apart from those that its drill takes side by side with it'),
  what: z.string().min(1).describe('"base backup"'),
  unit: z.enum(['bytes', 'WAL bytes', 'moments', 'rounds']),
  done: z.number().nonnegative(),
  of: z.number().nonnegative().optional().describe('Where it ends, as far as that is known'),
  at: z.string().optional().describe('The place that it has come to, such as an LSN'),
  seconds: z.number().nonnegative().describe('Since it began'),
  hasEnded: z.boolean(),
})
export type Progress = z.infer<typeof progressSchema>

/** @throws {Error} for what is no progress: two parts of the suite do not mean the same. */
export function parseProgress(message: string): Progress {
  const parsed = progressSchema.safeParse(asJson(message))
  if (parsed.success) return parsed.data
  throw new Error(`'${message.slice(0, 200)}' does not tell progress: ${z.prettifyError(parsed.error)}`)
}

function asJson(message: string): unknown {
  try {
    return JSON.parse(message)
  } catch {
    return undefined
  }
}

/** What is over before that was not long. */
const FIRST_AFTER_MS = 500
const AT_MOST_EVERY_MS = 200
/** Of what takes days, nobody sees a smaller part; and all that is told is kept until the run ends. */
const PART = 1_000

/** Of this process. */
let begun = 0

/**
 * A long step, which tells now and then how far it has come: first after half a second, then five times a second, and ever more
 * seldom the longer it takes. At its end it tells a last time, where it has told anything.
 */
export class LongStep implements Disposable {
  readonly #tell: (message: string) => void
  readonly #nowMs: () => number
  readonly #beganAtMs: number
  #dueMs: number
  #hasTold = false
  #latest: Progress

  /**
   * @param tell is given the message.
   * @param step `of` where it is known from the beginning.
   * @param nowMs a clock that never goes back, in milliseconds.
   */
  constructor(
    tell: (message: string) => void,
    step: Pick<Progress, 'what' | 'unit' | 'of'>,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#tell = tell
    this.#nowMs = nowMs
    this.#beganAtMs = nowMs()
    this.#dueMs = this.#beganAtMs + FIRST_AFTER_MS
    this.#latest = { number: ++begun, ...step, done: 0, seconds: 0, hasEnded: false }
  }

  /** It has come so far. */
  reach(place: Pick<Progress, 'done' | 'of' | 'at'>): void {
    this.#latest = { ...this.#latest, ...place }
    const nowMs = this.#nowMs()
    if (nowMs < this.#dueMs) return
    this.#dueMs = nowMs + Math.max(AT_MOST_EVERY_MS, (nowMs - this.#beganAtMs) / PART)
    this.#hasTold = true
    this.#send(nowMs)
  }

  /** It is over, well or not: it tells no more. */
  [Symbol.dispose](): void {
    const nowMs = this.#nowMs()
    if (this.#latest.hasEnded) return
    this.#latest.hasEnded = true
    this.#dueMs = Number.POSITIVE_INFINITY
    if (this.#hasTold) this.#send(nowMs)
  }

  #send(nowMs: number): void {
    this.#latest.seconds = (nowMs - this.#beganAtMs) / 1000
    this.#tell(JSON.stringify(this.#latest))
  }
}
