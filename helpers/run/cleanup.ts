import { deadlinesMs } from '../deadlines.ts'

/**
 * A stack of things to undo. Whoever starts something registers its undoing *before*. Runs in reverse, runs all of it,
 * each under a deadline, and reports every failure at once; refuses what comes after it has begun, since an abandoned
 * drill may go on for a while.
 */
export class Cleanup {
  readonly #tasks: { what: string; undo: () => unknown }[] = []
  #begun = false

  /** @throws when the clean-up has begun: what was about to be started must not be. */
  add(what: string, undo: () => unknown): void {
    if (this.#begun) throw new Error(`${what} was asked for after the clean-up had begun`)
    this.#tasks.push({ what, undo })
  }

  /** @throws {AggregateError} with an error for each thing that could not be undone. A second call does nothing. */
  async run(timeoutMs: number = deadlinesMs.cleanup): Promise<void> {
    this.#begun = true
    const failures: Error[] = []
    for (const { what, undo } of this.#tasks.splice(0).reverse()) {
      try {
        await within(timeoutMs, undo)
      } catch (cause) {
        failures.push(
          new Error(`the clean-up of ${what} failed: ${cause instanceof Error ? cause.message : cause}`, { cause }),
        )
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(failure => failure.message).join('; '))
  }
}

async function within(timeoutMs: number, undo: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeoutMs / 1000} s`)), timeoutMs)
  })
  try {
    await Promise.race([undo(), late])
  } finally {
    clearTimeout(timer)
  }
}
