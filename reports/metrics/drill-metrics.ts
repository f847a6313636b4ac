import { z } from 'zod'
import { byId } from '../../helpers/evidence/declared-drills.ts'
import { drillSchema, evidenceSchema, type FaultSeen, type Verdict } from '../../helpers/evidence/evidence.ts'
import type { Family, Sample } from './open-metrics.ts'

/**
 * What the metrics take from the evidence of a run: no more, so that what an older version has left can still be read, and that
 * hundreds of runs fit into memory.
 */
export const toldRunSchema = z.object({
  run: evidenceSchema.shape.run.pick({
    id: true,
    state: true,
    verdict: true,
    startedAt: true,
    endedAt: true,
    shard: true,
  }),
  runtime: evidenceSchema.shape.runtime.pick({ name: true, serverVersion: true }),
  drills: z.array(
    drillSchema
      .pick({
        id: true,
        runbook: true,
        verdict: true,
        startedAt: true,
        durationSeconds: true,
        faults: true,
        rto: true,
        rpo: true,
        sizes: true,
        sabotage: true,
      })
      .transform(({ faults, rto, rpo, ...drill }) => ({
        ...drill,
        rtoSeconds: rto?.seconds,
        rpoSeconds: rpo?.seconds,
        alarms: alarmsOf(faults),
      })),
  ),
})
export type ToldRun = z.infer<typeof toldRunSchema>
type ToldDrill = ToldRun['drills'][number]

/** The worst first. */
const VERDICTS: readonly Verdict[] = ['failed', 'unknown', 'not exercised', 'passed']

/**
 * Whether a run says anything about recovery: it came to its end, drilled something, and nothing in it was broken on purpose.
 * One that was cut off says nothing, not of the drills that it had passed either: cut off every night, it is to be noticed. For a
 * shard the run speaks that it is merged into.
 */
export function isTold({
  run,
  drills,
}: {
  run: Pick<ToldRun['run'], 'state' | 'shard'>
  drills: readonly Pick<ToldDrill, 'sabotage'>[]
}): boolean {
  const isWhole = run.state === 'finished' && run.shard === undefined
  return isWhole && drills.length > 0 && drills.every(({ sabotage }) => sabotage === undefined)
}

/** The newest of each drill, on each runtime and major. */
interface Latest {
  labels: { drill: string; runbook: string; runtime: string; major: string }
  verdict: Verdict
  success?: ToldDrill
}

/**
 * What runs come to: of the last of them on each runtime and major, and of each drill. Values come from evidence alone, so that
 * a run that fails hides no success before it, and two that end at once come to the same.
 *
 * Nothing that a drill's alarms said is a metric: its faults were made on purpose, and page nobody.
 */
export function drillFamilies(runs: readonly ToldRun[]): Family[] {
  const inOrder = runs.filter(isTold).sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  const lastRuns = [...new Map(inOrder.map(told => [Object.values(placeOf(told)).join(), told])).values()]
  const drills = latestOf(inOrder)
  const measured = (name: string, help: string, of: (success: ToldDrill) => number | undefined): Family => ({
    name: `pg_recovery_drill_${name}`,
    unit: name.endsWith('_bytes') ? 'bytes' : 'seconds',
    help,
    samples: drills.flatMap(({ labels, success }) => {
      const value = success && of(success)
      return value === undefined ? [] : [{ labels, value: rounded(value) }]
    }),
  })
  return [
    {
      name: 'pg_recovery_run_timestamp_seconds',
      unit: 'seconds',
      help: 'When the last run of drills ended, as Unix time.',
      samples: lastRuns.map(told => ({ labels: placeOf(told), value: unixSeconds(endOf(told)) })),
    },
    {
      name: 'pg_recovery_run_duration_seconds',
      unit: 'seconds',
      help: 'How long the last run of drills took.',
      samples: lastRuns.map(told => ({
        labels: placeOf(told),
        value: rounded(unixSeconds(endOf(told)) - unixSeconds(told.run.startedAt)),
      })),
    },
    {
      name: 'pg_recovery_run_verdict',
      help: 'The verdict of the last run of drills: 1 for the one it is, 0 for the others.',
      samples: lastRuns.flatMap(told => verdictSamples(placeOf(told), told.run.verdict)),
    },
    {
      name: 'pg_recovery_drill_verdict',
      help: 'The verdict of a drill in the last run that had it: 1 for the one it is, 0 for the others.',
      samples: drills.flatMap(({ labels, verdict }) => verdictSamples(labels, verdict)),
    },
    measured(
      'last_success_timestamp_seconds',
      'When a drill last passed, as Unix time.',
      ({ startedAt, durationSeconds }) => unixSeconds(startedAt) + durationSeconds,
    ),
    measured(
      'rto_seconds',
      'From the incident to a healthy application, when the drill last passed, at the size of its data.',
      ({ rtoSeconds }) => rtoSeconds,
    ),
    measured(
      'rpo_seconds',
      'Between the last commit that came back and the last that was acknowledged, when the drill last passed.',
      ({ rpoSeconds }) => rpoSeconds,
    ),
    measured(
      'base_backup_bytes',
      'Size of the base backup that the times of the drill were measured at.',
      ({ sizes }) => sizes.baseBackupBytes,
    ),
    measured(
      'replayed_wal_bytes',
      'WAL replayed in the recovery that the times of the drill were measured at.',
      ({ sizes }) => sizes.replayedWalBytes,
    ),
    {
      name: 'pg_recovery_drill_alarm_seconds',
      unit: 'seconds',
      help: 'From a fault to the alarm for it, its window included, when the drill last passed. The longest of several.',
      samples: drills.flatMap(({ labels, success }) =>
        (success?.alarms ?? []).map(({ signal, seconds }) => ({
          labels: { ...labels, signal },
          value: rounded(seconds),
        })),
      ),
    },
  ]
}

function latestOf(inOrder: readonly ToldRun[]): Latest[] {
  const latest = new Map<string, Latest>()
  for (const told of inOrder) {
    for (const drill of eachIdOnce(told.drills)) {
      const labels = { drill: drill.id, runbook: drill.runbook, ...placeOf(told) }
      const key = [labels.drill, labels.runtime, labels.major].join()
      const success = drill.verdict === 'passed' ? drill : latest.get(key)?.success
      latest.set(key, { labels, verdict: drill.verdict, ...(success && { success }) })
    }
  }
  return [...latest].sort(([a], [b]) => byId.compare(a, b)).map(([, one]) => one)
}

/** Two drills of one id are a mistake that the run's verdict tells; two values of one name would spoil the whole file. */
export function eachIdOnce<One extends Pick<ToldDrill, 'id' | 'verdict'>>(drills: readonly One[]): One[] {
  const bestFirst = [...drills].sort((a, b) => VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict))
  return [...new Map(bestFirst.map(drill => [drill.id, drill])).values()]
}

/** The labels that tell runs apart which cannot be compared. */
export function placeOf({ runtime }: Pick<ToldRun, 'runtime'>): { runtime: string; major: string } {
  return { runtime: runtime.name, major: /^\d+/.exec(runtime.serverVersion)?.[0] ?? '' }
}

/** One for each verdict that there is: 1 for the one it is. */
export function verdictSamples(labels: Sample['labels'], verdict: Verdict): Sample[] {
  return VERDICTS.map(one => ({ labels: { ...labels, verdict: one }, value: one === verdict ? 1 : 0 }))
}

/** The longest of each signal. */
function alarmsOf(faults: readonly FaultSeen[] = []): { signal: string; seconds: number }[] {
  const longest = new Map<string, number>()
  for (const [signal, seconds] of faults.flatMap(({ secondsToFire }) => Object.entries(secondsToFire)))
    longest.set(signal, Math.max(longest.get(signal) ?? 0, seconds))
  return [...longest].map(([signal, seconds]) => ({ signal, seconds }))
}

function endOf({ run }: ToldRun): string {
  return run.endedAt ?? run.startedAt
}

/** By their ends; ids tell apart those that ended at once. */
function orderOf(told: ToldRun): string {
  return `${endOf(told)} ${told.run.id}`
}

/** Of a moment in ISO 8601. */
export function unixSeconds(moment: string): number {
  return Date.parse(moment) / 1000
}

/** To milliseconds: floating point adds digits that nobody measured. Bytes are whole anyway. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
