import { Failure } from './failure.ts'

/** More would only wait for one another: a case is mostly work. */
const AT_ONCE = 2

/**
 * Runs `body` for each case, two side by side, and all of them however many fail.
 * @param title names a case in the error.
 * @throws the one error there was. Of several: a `Failure` of the first one's kind that names every case, or an
 *   `AggregateError` when one of them was no `Failure`, since what it checked is not known then.
 */
export async function runCases<T>(
  cases: readonly T[],
  title: (one: T) => string,
  body: (one: T) => Promise<void>,
): Promise<void> {
  const errors = new Map<T, unknown>()
  const queue = cases.values()
  const work = async () => {
    for (const one of queue) await body(one).catch(error => errors.set(one, error))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  // In the table's order, not in that of their ends.
  const failed = cases.filter(one => errors.has(one)).map(one => ({ title: title(one), error: errors.get(one) }))
  const [first] = failed
  if (!first) return
  if (failed.length === 1) throw first.error
  const message = `${failed.length} of ${cases.length} cases: ${failed
    .map(({ title, error }) => `${title}: ${error instanceof Error ? error.message : String(error)}`)
    .join('; ')}`
  if (failed.every(({ error }) => error instanceof Failure)) {
    const { kind, evidence } = first.error as Failure
    throw new Failure(kind, message, evidence, { cause: first.error })
  }
  throw new AggregateError(
    failed.map(({ error }) => error),
    message,
  )
}
