import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { vitestOf } from './blob.ts'
import { BLOB_FILE, PLAN_FILE, type Shard, type ShardPlan, shardPlanSchema, shardText } from './shard.ts'

/** What a run with `--shard` left. */
export interface ShardRun {
  folder: string
  shard: Shard
  plan: ShardPlan
  evidence: Evidence
  /** Portable, with the version of vitest that wrote it. None of a shard that was cut off before its drills had ended. */
  blob?: { text: string; vitest: string }
}

/** @throws {CannotRun} when the folder is not that of a shard, or of another version of the suite. */
export function readShardRun(folder: string): ShardRun {
  const planFile = path.join(folder, PLAN_FILE)
  const evidenceFile = path.join(folder, 'evidence.json')
  const blobFile = path.join(folder, BLOB_FILE)
  if (!existsSync(planFile) || !existsSync(evidenceFile))
    throw new CannotRun(`${folder} is not what a shard left: give folders with evidence.json and ${PLAN_FILE} in them`)
  try {
    const evidence = evidenceSchema.parse(JSON.parse(readFileSync(evidenceFile, 'utf8')))
    const plan = shardPlanSchema.parse(JSON.parse(readFileSync(planFile, 'utf8')))
    if (!evidence.run.shard) throw new Error('it does not say which shard it is')
    return {
      folder,
      shard: evidence.run.shard,
      plan,
      evidence,
      ...(existsSync(blobFile) && { blob: readBlob(blobFile) }),
    }
  } catch (cause) {
    throw new CannotRun(
      `what the shard in ${folder} left cannot be read: merge it by the version of the suite that made it, and unchanged`,
      { cause },
    )
  }
}

function readBlob(file: string): NonNullable<ShardRun['blob']> {
  const text = readFileSync(file, 'utf8')
  return { text, vitest: vitestOf(text) }
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
