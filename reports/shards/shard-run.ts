import { existsSync, lstatSync } from 'node:fs'
import path from 'node:path'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { readBounded } from '../integrity/files.ts'
import type { VerifyingKey } from '../integrity/keys.ts'
import { LARGEST_BYTES } from '../integrity/limits.ts'
import { Refusal } from '../integrity/refusal.ts'
import { EVIDENCE_FILE } from '../integrity/statement.ts'
import { ATTESTATION_FILE, SUMS_FILE } from '../integrity/sums.ts'
import { verifySignature, verifySums } from '../integrity/verify-bundle.ts'
import { vitestOf } from './blob.ts'
import { BLOB_FILE, PLAN_FILE, type Shard, type ShardPlan, shardPlanSchema, shardText } from './shard.ts'

/** What a run with `--shard` left. */
export interface ShardRun {
  folder: string
  shard: Shard
  plan: ShardPlan
  evidence: Evidence
  /**
   * Of one that is not, there is only its word of which shard it is: it was killed, or somebody took the seal away to alter
   * what it binds, and nobody can tell which.
   */
  isSealed: boolean
  /** Portable, with the version of vitest that wrote it. None of a shard that was cut off before its drills had ended. */
  blob?: { text: string; vitest: string }
}

/**
 * @param key that the shard has to be signed by, where the merged run is to be.
 * @throws {CannotRun} when the folder is not that of a shard, was altered since it was sealed, is not signed by `key`, or is of
 * another version of the suite.
 */
export function readShardRun(folder: string, key?: VerifyingKey): ShardRun {
  if (![PLAN_FILE, EVIDENCE_FILE].every(name => existsSync(path.join(folder, name))))
    throw new CannotRun(`${folder} is not what a shard left: give folders with evidence.json and ${PLAN_FILE} in them`)
  const isSealed = hasSeal(folder)
  if (isSealed) refuseAltered(folder, key)
  try {
    const evidence = evidenceSchema.parse(jsonIn(folder, EVIDENCE_FILE))
    const plan = shardPlanSchema.parse(jsonIn(folder, PLAN_FILE))
    if (!evidence.run.shard) throw new Error('it does not say which shard it is')
    const hasBlob = isSealed && existsSync(path.join(folder, BLOB_FILE))
    return { folder, shard: evidence.run.shard, plan, evidence, isSealed, ...(hasBlob && { blob: blobIn(folder) }) }
  } catch (cause) {
    throw new CannotRun(
      `what the shard in ${folder} left cannot be read: merge it by the version of the suite that made it, and unchanged`,
      { cause },
    )
  }
}

/** A part of a seal is enough: what is missing of it was taken away. */
function hasSeal(folder: string): boolean {
  return [SUMS_FILE, ATTESTATION_FILE].some(name => lstatSync(path.join(folder, name), { throwIfNoEntry: false }))
}

function refuseAltered(folder: string, key: VerifyingKey | undefined): void {
  const refused = (what: string, remedy: string, body: () => unknown) => {
    try {
      body()
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause
      throw new CannotRun(`${folder} is not ${what}: ${cause.message}: ${remedy}`, { cause })
    }
  }
  if (key)
    refused('signed as the merged run will be', 'run every shard with the DRILL_SIGNING_KEY of the merge', () =>
      verifySignature(folder, key),
    )
  refused('as its shard left it', 'bring it anew from where it was run', () => verifySums(folder))
}

function jsonIn(folder: string, name: string): unknown {
  return JSON.parse(readBounded(folder, name, LARGEST_BYTES.evidence).toString('utf8'))
}

function blobIn(folder: string): NonNullable<ShardRun['blob']> {
  const text = readBounded(folder, BLOB_FILE, LARGEST_BYTES.evidence).toString('utf8')
  return { text, vitest: vitestOf(text) }
}

/**
 * Those of which something may be taken.
 * @throws {CannotRun} when there is none.
 */
export function sealedOf(shards: readonly ShardRun[]): [ShardRun, ...ShardRun[]] {
  const [first, ...others] = shards.filter(({ isSealed }) => isSealed)
  if (!first)
    throw new CannotRun(
      'none of the shards is sealed, so that nothing of what they left can be taken: each of them was killed; run them again',
    )
  return [first, ...others]
}

/** How a shard is told of: '2/3 (20251123T010203-1)'. */
export function nameOf({ shard, evidence }: ShardRun): string {
  return `${shardText(shard)} (${evidence.run.id})`
}

/**
 * The shards in the order of their index, which must be of one whole. One that is missing is for the merged run to tell.
 * @throws {CannotRun} when two of them cannot be parts of one run.
 */
export function asOneRun(shards: readonly ShardRun[]): [ShardRun, ...ShardRun[]] {
  const [first, ...others] = [...shards].sort((a, b) => a.shard.index - b.shard.index)
  if (!first) throw new CannotRun('there is nothing to merge: give the folders that the shards left')
  for (const other of others)
    for (const [what, of] of Object.entries(ofTheWhole)) {
      const [one, another] = [of(first), of(other)].map(value => JSON.stringify(value))
      if (one !== another)
        throw new CannotRun(
          `${nameOf(first)} and ${nameOf(other)} are not parts of one run: ${what} is ${one} of the one and ${another} of the other`,
        )
    }
  const all: [ShardRun, ...ShardRun[]] = [first, ...others]
  const twice = all.find((one, index) => all[index + 1]?.shard.index === one.shard.index)
  if (twice) throw new CannotRun(`${shardText(twice.shard)} is there twice: give one folder of each shard`)
  return all
}

/** What is the same in every part of one run. */
const ofTheWhole: Record<string, (run: ShardRun) => unknown> = {
  'the number of shards': ({ shard }) => shard.count,
  "the suite's commit": ({ evidence }) => evidence.suite.commit,
  "the suite's version": ({ evidence }) => evidence.suite.version,
  "the runbook's SHA-256": ({ evidence }) => evidence.suite.runbookSha256,
  'the kind of run': ({ evidence }) => evidence.run.kind,
  'the selection': ({ plan }) => plan,
  'the runtime': ({ evidence }) => evidence.runtime.name,
  "PostgreSQL's version": ({ evidence }) => evidence.runtime.serverVersion,
  'the image': ({ evidence }) => [evidence.runtime.image ?? null, evidence.runtime.imageDigest ?? null],
  'what the runtime can': ({ evidence }) => evidence.runtime.capabilities,
  'the configuration': ({ evidence }) => sorted(evidence.config),
}

function sorted(config: Evidence['config']): [string, string][] {
  return Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))
}
