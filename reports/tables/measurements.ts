import type { Drill, Evidence, Rpo, Rto, Sizes } from '../../helpers/evidence/evidence.ts'
import { runSeconds } from '../run-seconds.ts'
import { countOf, VERDICTS } from '../verdicts.ts'
import { csv } from './csv.ts'

const COLUMNS = [
  'run',
  'run_started_at',
  'drill',
  'verdict',
  'measure',
  'of',
  'value',
  'unit',
  'objective',
  'objective_verdict',
] as const

/** A measure's name stays the same from run to run; `of` says of what, where there are several of it. */
interface Measured {
  measure: string
  of?: string
  value: number | undefined
  unit: 'seconds' | 'bytes' | 'commits' | 'rows' | 'looks' | 'drills'
  objective?: number | undefined
  objective_verdict?: string
}

/** `measurements.csv`: a row for each measure, in the order of the drills; those of the run as a whole have no drill. */
export function measurementsCsv({ run, drills }: Evidence): string {
  const ofRun = { run: run.id, run_started_at: run.startedAt }
  const rows = [
    ...measuredOfRun({ run, drills }).map(measured => ({ ...ofRun, verdict: run.verdict, ...measured })),
    ...drills.flatMap(drill =>
      measuredOf(drill).map(measured => ({ ...ofRun, drill: drill.id, verdict: drill.verdict, ...measured })),
    ),
  ]
  return csv(
    COLUMNS,
    rows.filter(({ value }) => value !== undefined),
  )
}

function measuredOfRun({ run, drills }: Pick<Evidence, 'run' | 'drills'>): Measured[] {
  return [
    { measure: 'run duration', value: runSeconds(run), unit: 'seconds' },
    ...VERDICTS.map(
      (verdict): Measured => ({
        measure: 'drills',
        of: verdict,
        value: countOf(verdict, drills),
        unit: 'drills',
      }),
    ),
  ]
}

function measuredOf(drill: Drill): Measured[] {
  if (drill.verdict === 'not exercised') return []
  return [
    { measure: 'duration', value: drill.durationSeconds, unit: 'seconds' },
    ...drill.steps.map(
      ({ title, durationSeconds }): Measured => ({
        measure: 'step duration',
        of: title,
        value: durationSeconds,
        unit: 'seconds',
      }),
    ),
    ...ofRto(drill.rto),
    ...ofRpo(drill.rpo),
    ...ofSizes(drill.sizes),
    ...ofPredictions(drill),
    ...ofFaults(drill),
  ]
}

function ofRto(rto: Rto | undefined): Measured[] {
  if (!rto) return []
  const { seconds, phases, objectiveSeconds, verdict } = rto
  return [
    { measure: 'rto', value: seconds, unit: 'seconds', objective: objectiveSeconds, objective_verdict: verdict },
    ...phases.map(
      ({ name, seconds }): Measured => ({ measure: 'rto phase', of: name, value: seconds, unit: 'seconds' }),
    ),
  ]
}

function ofRpo(rpo: Rpo | undefined): Measured[] {
  if (!rpo) return []
  return [
    {
      measure: 'rpo',
      value: rpo.seconds,
      unit: 'seconds',
      objective: rpo.objectiveSeconds,
      objective_verdict: rpo.verdict,
    },
    { measure: 'promised commits', value: rpo.promisedCommits, unit: 'commits' },
    { measure: 'missing commits', value: rpo.missingCommits, unit: 'commits' },
    { measure: 'discarded commits', value: rpo.discardedCommits, unit: 'commits' },
    { measure: 'undecided commits', value: rpo.undecidedCommits, unit: 'commits' },
    { measure: 'lost wal', value: rpo.walBytes, unit: 'bytes' },
  ]
}

function ofSizes({ baseBackupBytes, databaseBytes, replayedWalBytes, rows }: Sizes): Measured[] {
  return [
    { measure: 'base backup size', value: baseBackupBytes, unit: 'bytes' },
    { measure: 'database size', value: databaseBytes, unit: 'bytes' },
    { measure: 'replayed wal', value: replayedWalBytes, unit: 'bytes' },
    { measure: 'rows', value: rows, unit: 'rows' },
  ]
}

function ofPredictions({ predictions = [] }: Drill): Measured[] {
  return predictions.flatMap(({ databaseBytes, walBytes, seconds, phases }): Measured[] => {
    const size = `${databaseBytes} bytes of base backup, ${walBytes} of WAL`
    return [
      { measure: 'predicted rto', of: size, value: seconds, unit: 'seconds' },
      ...phases.map(
        ({ name, seconds }): Measured => ({
          measure: 'predicted rto phase',
          of: `${name}: ${size}`,
          value: seconds,
          unit: 'seconds',
        }),
      ),
    ]
  })
}

function ofFaults({ faults = [] }: Drill): Measured[] {
  return faults.flatMap(({ fault, windowSeconds, secondsToFire, looks }): Measured[] => [
    ...Object.entries(secondsToFire).map(
      ([signal, seconds]): Measured => ({
        measure: `time to ${signal}`,
        of: fault,
        value: seconds,
        unit: 'seconds',
      }),
    ),
    { measure: 'alarm window', of: fault, value: windowSeconds, unit: 'seconds' },
    { measure: 'looks of the detectors', of: fault, value: looks, unit: 'looks' },
  ])
}
