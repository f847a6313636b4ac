import type { Problem, Verdict } from '../../helpers/evidence/evidence.ts'
import type { RunFacts } from '../../helpers/evidence/run-facts.ts'
import { CannotRun } from '../../helpers/failure.ts'
import type { HistoryEntry } from '../history/history.ts'
import { SUMS_FILE } from '../integrity/sums.ts'
import { type Shard, shardText } from './shard.ts'
import { nameOf, type ShardRun } from './shard-run.ts'

/** What is known of the run that the shards are parts of: all that does not follow from its drills. */
export function factsOfMerged(
  [first, ...others]: [ShardRun, ...ShardRun[]],
  { require, ...own }: Pick<RunFacts, 'id' | 'directory' | 'secrets' | 'require'>,
): RunFacts {
  const all = [first, ...others]
  const { evidence, plan } = first
  const { run, suite, runtime, machine, config } = evidence
  return {
    ...own,
    startedAt: all.map(one => one.evidence.run.startedAt).reduce((a, b) => (a < b ? a : b)),
    endedAt: all.map(one => one.evidence.run.endedAt ?? one.evidence.run.startedAt).reduce((a, b) => (a > b ? a : b)),
    kind: run.kind,
    selection: [...plan.paths, ...plan.tags],
    startedBy: run.startedBy,
    shards: all.map(one => one.evidence.run.id),
    suite,
    runtime,
    machine,
    config,
    // Of the whole run: what was set for its shards, and what is set here.
    require: [...new Set([...plan.require, ...require])],
    leftOut: plan.leftOut,
  }
}

/** Shards of the whole that are not among `shards`. */
export function missingOf([first, ...others]: [ShardRun, ...ShardRun[]]): Shard[] {
  const { count } = first.shard
  const there = new Set([first, ...others].map(({ shard }) => shard.index))
  return Array.from({ length: count }, (_, at) => ({ index: at + 1, count })).filter(({ index }) => !there.has(index))
}

/** @param drills ids of those that fell to it. */
export function missingProblem(shard: Shard, drills: readonly string[]): Problem {
  return {
    kind: 'shard-missing',
    message: `${shardText(shard)} is missing, and with it ${drillsText(drills)}`,
  }
}

/**
 * A night's shards, merged a second time, would pass for another night.
 * @throws {CannotRun} when one of them is a part of a run that is remembered.
 */
export function refuseMerged(shards: readonly ShardRun[], history: readonly HistoryEntry[]): void {
  for (const run of shards) {
    const merged = history.find(entry => entry.shards?.includes(run.evidence.run.id))
    if (merged)
      throw new CannotRun(
        `${nameOf(run)} was merged already, into the run ${merged.runId}, and a shard is merged once: run the shards again`,
      )
  }
}

/** What makes the merged run unknown, of one shard: what it told of itself, and that it was cut off. */
export function problemsOfShard(run: ShardRun): Problem[] {
  if (!run.isSealed)
    return [
      {
        kind: 'shard-unsealed',
        message: `${nameOf(run)} is not sealed, and nothing of what it left was taken: it was killed, or its ${SUMS_FILE} was taken away`,
      },
    ]
  const { state, problems } = run.evidence.run
  const carried = problems.filter(({ kind }) => !ofItsEnd.includes(kind))
  if (run.blob === undefined)
    return [
      ...carried,
      {
        kind: 'shard-cut-off',
        message: `${nameOf(run)} was cut off before its drills had ended: what it had found by then is in its own folder`,
      },
    ]
  if (state === 'finished') return carried
  return [...carried, { kind: 'shard-interrupted', message: `${nameOf(run)} was cut off` }]
}

/** Said anew here, with the shard's name. */
const ofItsEnd: readonly string[] = ['interrupted', 'cut-off']

/**
 * Where the merged evidence lacks what a shard was to run, or disagrees with the shard's own: something was lost, or changed since.
 * @param shares ids of the drills that fell to each shard, by its index.
 * @param merged verdicts by drill.
 */
export function disagreements(
  shards: readonly ShardRun[],
  shares: ReadonlyMap<number, readonly string[]>,
  merged: ReadonlyMap<string, Verdict>,
): Problem[] {
  return shards
    .filter(({ blob }) => blob !== undefined)
    .flatMap(run => [
      ...(shares.get(run.shard.index) ?? [])
        .filter(id => !merged.has(id))
        .map(id => ({ kind: 'drill-not-run', message: `${nameOf(run)} was to run ${id}, and left nothing of it` })),
      ...run.evidence.drills
        .filter(({ id, verdict }) => merged.get(id) !== verdict)
        .map(({ id, verdict }) => ({
          kind: 'shard-contradicted',
          message: `${nameOf(run)} says of ${id} ${verdict}, and its blob ${merged.get(id) ?? 'nothing'}: one of the two was changed`,
        })),
    ])
}

function drillsText(drills: readonly string[]): string {
  return drills.length === 0 ? 'no drill' : drills.join(', ')
}
