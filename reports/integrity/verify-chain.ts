import { lstatSync, realpathSync } from 'node:fs'
import path from 'node:path'
import type { Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { verdictCounts } from '../verdicts.ts'
import type { VerifyingKey } from './keys.ts'
import { quoted, Refusal } from './refusal.ts'
import { type IntactBundle, verifyBundle } from './verify-bundle.ts'

const LONGEST_RUN_ID = 128

type Previous = NonNullable<Evidence['run']['previous']>

interface Chain {
  /** How many bundles were verified. */
  runs: number
  /** What it hangs on; `nothing` of a run that was cut off and names none before it. */
  end: 'first run' | 'published digest' | 'nothing'
}

/**
 * Verifies the bundle in `directory`, and each run before it, in the folders beside it: back to the first run there was, or
 * until every digest of `published` was met.
 * @param published digests of runs, as hex, that were written down where nobody who can change bundles can change them.
 * @returns what is proven, and what is not. A run that failed is as good evidence as one that passed: the verdict is told.
 * @throws {Refusal} unless all of it holds.
 */
export function verifyChain(directory: string, key: VerifyingKey, published: readonly string[]): string {
  const folder = realpathSync(directory)
  const newest = refusing(`${directory} is no intact evidence`, () => {
    const bundle = verifyBundle(folder, key)
    for (const named of [path.resolve(directory), folder]) refuseNameOfAnother(path.basename(named), bundle)
    return bundle
  })
  const chain = follow(newest, path.dirname(folder), key, published)
  return `The ${runText(newest)}, says its evidence, which is intact and signed by the key ${key.keyId}; ${chainText(chain)}; ${newestText(newest.digest, published)}.`
}

/** As runs are named: a run that is copied into the place of a later one must not pass for it. */
const RUN_ID = /^\d{8}T\d{6}-[0-9a-f]+$/

/** Any other name is that of whoever unpacked it. */
function refuseNameOfAnother(name: string, { evidence }: IntactBundle): void {
  const { id } = evidence.run
  if (RUN_ID.test(name) && name !== id)
    throw new Refusal(
      `it is named as the run ${name}, and holds the run ${quoted(id)}: bring the folder of the one that you mean, or name this one after what it holds`,
    )
}

function follow(newest: IntactBundle, siblings: string, key: VerifyingKey, published: readonly string[]): Chain {
  const unmet = new Set(published)
  const met = new Set<string>()
  for (let bundle = newest; ; ) {
    const { id, previous } = bundle.evidence.run
    met.add(id)
    unmet.delete(bundle.digest)
    if (previous) unmet.delete(previous.digest)
    if (published.length > 0 && unmet.size === 0) return { runs: met.size, end: 'published digest' }
    if (!previous) {
      refuseUnmet(unmet, id)
      if (previous === undefined && bundle !== newest)
        throw new Refusal(
          `the run ${quoted(id)} was cut off and does not say which run came before it: give --published ${bundle.digest} if that digest was published`,
        )
      return { runs: met.size, end: previous === null ? 'first run' : 'nothing' }
    }
    if (met.has(previous.runId))
      throw new Refusal(
        `the chain of runs comes back from ${quoted(id)} to ${quoted(previous.runId)}, so that it is none`,
      )
    bundle = verifyPrevious(siblings, previous, id, key)
  }
}

function refuseUnmet(unmet: ReadonlySet<string>, last: string): void {
  if (unmet.size > 0)
    throw new Refusal(
      `the chain ends at the run ${quoted(last)} without the published ${[...unmet].join(', ')}: runs were taken out, or that is a digest of a later run or of another history`,
    )
}

function verifyPrevious(siblings: string, { runId, digest }: Previous, next: string, key: VerifyingKey): IntactBundle {
  const which = `the run ${quoted(runId)}, which came before ${quoted(next)},`
  const remedy = `bring its folder as it was, or give --published ${digest} if that digest was published`
  if (!isRunId(runId)) throw new Refusal(`${which} has a name that no run has`)
  const folder = path.join(siblings, runId)
  const found = lstatSync(folder, { throwIfNoEntry: false })
  if (!found) throw new Refusal(`${which} is missing from ${siblings}: ${remedy}`)
  if (!found.isDirectory()) throw new Refusal(`${which} is no folder in ${siblings}: ${remedy}`)
  const bundle = refusing(`${which} is no intact evidence`, () => verifyBundle(folder, key), remedy)
  if (bundle.evidence.run.id !== runId)
    throw new Refusal(`${which} has the run ${quoted(bundle.evidence.run.id)} in its place: ${remedy}`)
  if (bundle.digest !== digest)
    throw new Refusal(`${which} has another in its place, whose digest is ${bundle.digest}, not ${digest}: ${remedy}`)
  return bundle
}

/** No path out of the folder that the runs are in, and no hidden file. */
function isRunId(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(text) && text.length <= LONGEST_RUN_ID
}

function refusing<T>(what: string, body: () => T, remedy?: string): T {
  try {
    return body()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new Refusal(`${what}: ${cause.message}${remedy === undefined ? '' : `; ${remedy}`}`, { cause })
  }
}

const TOLD: Readonly<Record<Verdict, string>> = {
  passed: 'passed',
  failed: 'FAILED',
  unknown: 'proved nothing (unknown)',
  'not exercised': 'exercised nothing',
}

function runText({ evidence, files }: IntactBundle): string {
  const { id, state, verdict } = evidence.run
  const ended = state === 'interrupted' ? 'was interrupted and ' : ''
  return `run ${id} ${ended}${TOLD[verdict]} (${drillsText(evidence)}; ${files} files)`
}

function drillsText({ drills }: Evidence): string {
  return drills.length === 0 ? 'no drill' : `drills: ${verdictCounts(drills)}`
}

function chainText({ runs, end }: Chain): string {
  if (end === 'nothing') return 'it was cut off and names no run before it, of which nothing is proven'
  if (end === 'first run')
    return runs === 1
      ? 'it is the first run of its history'
      : `so are the runs before it, ${runs} with it, back to the first of its history`
  return runs === 1
    ? 'it is bound to a published digest, and nothing is proven of the runs before that'
    : `so are the runs before it, ${runs} with it, back to a published digest, before which nothing is proven`
}

function newestText(digest: string, published: readonly string[]): string {
  return published.includes(digest)
    ? `its digest ${digest} is a published one`
    : `its digest is ${digest}, to be published elsewhere: the newest runs can be removed unseen until then`
}
