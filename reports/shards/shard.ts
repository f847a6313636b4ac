import path from 'node:path'
import type { TestSpecification, Vitest } from 'vitest/node'
import { z } from 'zod'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { writeWhole } from '../run-folder.ts'

/** Which part of a run: the first of three is `{ index: 1, count: 3 }`. */
export type Shard = NonNullable<Evidence['run']['shard']>

/** @throws an error whose message goes on from the option's value. */
export function shardOf(text: string): Shard {
  const [, index, count] = /^(\d{1,4})\/(\d{1,4})$/.exec(text)?.map(Number) ?? []
  if (index === undefined || count === undefined || index < 1 || index > count)
    throw new Error(`--shard is '${text}', which is no part I/N of a whole, such as 1/3`)
  return { index, count }
}

export function shardText({ index, count }: Shard): string {
  return `shard ${index}/${count}`
}

/**
 * What of `specifications` falls to a shard: of the shards 1 to n each falls to one, the same on every machine, by the runner's own
 * rule. Told to the runner itself, it would count files that the selection leaves out, and refuse more shards than files.
 */
export async function fallingTo(
  shard: Shard,
  { config }: Vitest,
  specifications: readonly TestSpecification[],
): Promise<TestSpecification[]> {
  const { BaseSequencer } = await import('vitest/node')
  return new BaseSequencer({ config: { root: config.root, shard } } as Vitest).shard([...specifications])
}

/** What the merge has to know of a shard beside its evidence: what all of them were asked for. */
export const shardPlanSchema = z.object({
  paths: z.array(z.string()),
  tags: z.array(z.string()),
  require: z.array(z.string()).describe('Of the whole run: ids of drills, and capabilities'),
  leftOut: z.array(z.string()).describe('Ids of drills that no shard runs'),
})
export type ShardPlan = z.infer<typeof shardPlanSchema>

/** In a shard's folder: its drills as vitest's blob reporter writes them, once all have ended. */
export const BLOB_FILE = 'blob.json'
export const PLAN_FILE = 'shard.json'

/** To be called as soon as the shard's folder is there: a shard that is cut off then still says what it was a part of. */
export function writeShardPlan(directory: string, plan: ShardPlan): void {
  writeWhole(path.join(directory, PLAN_FILE), `${JSON.stringify(shardPlanSchema.parse(plan), null, 2)}\n`)
}
