import type { Progress } from '../../helpers/evidence/progress.ts'
import type { ProgressDisplay } from './progress-display.ts'

const EVERY_SECONDS = 10
const LONG_SECONDS = 2

/**
 * A line now and then for a long step, where no bar can be drawn: each ten seconds, and at its end. None of what is over in less
 * than two seconds.
 */
export class PlainLines implements ProgressDisplay {
  readonly #print: (id: string, progress: Progress) => void
  /** When a step was last told, in seconds since it began. */
  readonly #toldAt = new Map<string, { test: string; seconds: number }>()

  constructor(print: (id: string, progress: Progress) => void) {
    this.#print = print
  }

  show(test: string, id: string, progress: Progress): void {
    const key = `${test} ${progress.number}`
    const { seconds, hasEnded } = progress
    const told = this.#toldAt.get(key)?.seconds ?? 0
    if (hasEnded ? seconds < LONG_SECONDS : seconds - told < EVERY_SECONDS) return
    this.#toldAt.set(key, { test, seconds })
    this.#print(id, progress)
  }

  forget(test: string): void {
    for (const [key, told] of this.#toldAt) if (told.test === test) this.#toldAt.delete(key)
  }

  close(): void {
    this.#toldAt.clear()
  }
}
