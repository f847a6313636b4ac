import { byId } from '../../helpers/evidence/declared-drills.ts'
import type { Drill, Evidence } from '../../helpers/evidence/evidence.ts'
import { eachIdOnce, placeOf, rounded, unixSeconds, verdictSamples } from './drill-metrics.ts'
import { type Family, openMetricsText, type Sample } from './open-metrics.ts'

interface Measured {
  value: number | undefined
  /** Besides those of the drill. */
  labels?: Sample['labels']
}

/**
 * `metrics.prom` of a bundle: what this run alone measured, also of drills that failed, and of one that was cut off. For whoever
 * keeps bundles, and pushes them on: names of its own keep it apart from `out/metrics`, which alerts are made from and which tells
 * of the last success of each drill. Of a run in which something was broken on purpose it tells no drill.
 */
export function runMetrics(evidence: Evidence): string {
  return openMetricsText(familiesOf(evidence))
}

function familiesOf(evidence: Evidence): Family[] {
  const { run, suite, runtime } = evidence
  const place = placeOf(evidence)
  const told = run.kind === 'sabotage' ? [] : evidence.drills.filter(({ sabotage }) => sabotage === undefined)
  const drills = eachIdOnce(told).sort((a, b) => byId.compare(a.id, b.id))
  const exercised = drills.filter(({ verdict }) => verdict !== 'not exercised')
  const labelsOf = ({ id, runbook }: Drill) => ({ drill: id, runbook, ...place })
  const each = (name: string, help: string, of: (drill: Drill) => Measured[]): Family => ({
    name: `pg_recovery_bundle_drill_${name}`,
    ...unitOf(name),
    help,
    samples: exercised.flatMap(drill =>
      eachLabelsOnce(
        of(drill).flatMap(({ value, labels }) =>
          value === undefined ? [] : [{ labels: { ...labelsOf(drill), ...labels }, value: rounded(value) }],
        ),
      ),
    ),
  })
  return [
    {
      name: 'pg_recovery_bundle_info',
      help: 'The run that this was measured in: always 1.',
      samples: [
        {
          labels: {
            run: run.id,
            kind: run.kind,
            state: run.state,
            ...place,
            server_version: runtime.serverVersion,
            commit: suite.commit,
            runbook_sha256: suite.runbookSha256,
          },
          value: 1,
        },
      ],
    },
    {
      name: 'pg_recovery_bundle_start_timestamp_seconds',
      unit: 'seconds',
      help: 'When the run began, as Unix time.',
      samples: [{ labels: place, value: unixSeconds(run.startedAt) }],
    },
    {
      name: 'pg_recovery_bundle_end_timestamp_seconds',
      unit: 'seconds',
      help: 'When the run ended, as Unix time.',
      samples: run.endedAt === undefined ? [] : [{ labels: place, value: unixSeconds(run.endedAt) }],
    },
    {
      name: 'pg_recovery_bundle_verdict',
      help: 'The verdict of the run: 1 for the one it is, 0 for the others.',
      samples: verdictSamples(place, run.verdict),
    },
    {
      name: 'pg_recovery_bundle_drill_verdict',
      help: 'The verdict of a drill: 1 for the one it is, 0 for the others.',
      samples: drills.flatMap(drill => verdictSamples(labelsOf(drill), drill.verdict)),
    },
    each('duration_seconds', 'How long a drill took.', ({ durationSeconds }) => [{ value: durationSeconds }]),
    each(
      'rto_seconds',
      'From the incident to a healthy application, at the size of the data of the drill.',
      ({ rto }) => [{ value: rto?.seconds }],
    ),
    each('rto_phase_seconds', 'The parts of the recovery time of a drill: they add up to it.', ({ rto }) =>
      (rto?.phases ?? []).map(({ name, seconds }) => ({ value: seconds, labels: { phase: name } })),
    ),
    each('rto_objective_seconds', 'The objective that the recovery time of a drill was held against.', ({ rto }) => [
      { value: rto?.objectiveSeconds },
    ]),
    each('rpo_seconds', 'Between the last commit that came back and the last that was acknowledged.', ({ rpo }) => [
      { value: rpo?.seconds },
    ]),
    each('rpo_objective_seconds', 'The objective that the loss in a drill was held against.', ({ rpo }) => [
      { value: rpo?.objectiveSeconds },
    ]),
    each('commits', 'What became of the commits of a drill: promised, missing, discarded or undecided.', ({ rpo }) => [
      { value: rpo?.promisedCommits, labels: { outcome: 'promised' } },
      { value: rpo?.missingCommits, labels: { outcome: 'missing' } },
      { value: rpo?.discardedCommits, labels: { outcome: 'discarded' } },
      { value: rpo?.undecidedCommits, labels: { outcome: 'undecided' } },
    ]),
    each('lost_wal_bytes', 'WAL from where recovery ended to the last commit that is not there.', ({ rpo }) => [
      { value: rpo?.walBytes },
    ]),
    each('base_backup_bytes', 'Size of the base backup of a drill.', ({ sizes }) => [{ value: sizes.baseBackupBytes }]),
    each('database_bytes', 'Size of the recovered database of a drill.', ({ sizes }) => [
      { value: sizes.databaseBytes },
    ]),
    each('replayed_wal_bytes', 'WAL replayed in the recovery of a drill.', ({ sizes }) => [
      { value: sizes.replayedWalBytes },
    ]),
    each('rows', 'Rows on the recovered server of a drill.', ({ sizes }) => [{ value: sizes.rows }]),
    each(
      'alarm_seconds',
      'From a fault that was made on purpose to the alarm for it, its window included.',
      ({ faults = [] }) =>
        faults.flatMap(({ fault, secondsToFire }) =>
          Object.entries(secondsToFire).map(([signal, seconds]) => ({ value: seconds, labels: { fault, signal } })),
        ),
    ),
    each('alarm_window_seconds', 'How long a condition had to last before its alarm.', ({ faults = [] }) =>
      faults.map(({ fault, windowSeconds }) => ({ value: windowSeconds, labels: { fault } })),
    ),
  ]
}

/** A fault that a drill makes twice has one name: of what it took, the longest. */
function eachLabelsOnce(samples: readonly Sample[]): Sample[] {
  const bySize = [...samples].sort((a, b) => a.value - b.value)
  const largest = new Map(bySize.map(sample => [JSON.stringify(sample.labels), sample]))
  return samples.filter(sample => largest.get(JSON.stringify(sample.labels)) === sample)
}

function unitOf(name: string): Pick<Family, 'unit'> {
  if (name.endsWith('_seconds')) return { unit: 'seconds' }
  return name.endsWith('_bytes') ? { unit: 'bytes' } : {}
}
