import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord, sampleStep } from '../sample.ts'
import { measurementsCsv } from './measurements.ts'

type Row = Record<string, string>

function rows(records: DrillRecord[]): Row[] {
  const progress = { state: 'finished', endedAt: '2025-11-23T01:03:03.456Z', problems: [] } as const
  return parse(measurementsCsv(buildEvidence(sampleFacts, records, progress)), { columns: true })
}

/** Of a drill alone, without what all rows share. */
function told(record: DrillRecord): string[] {
  return rows([record])
    .filter(({ drill }) => drill !== '')
    .map(({ measure, of, value, unit, objective, objective_verdict }) =>
      [measure, of, value, unit, objective, objective_verdict].join(' | ').replace(/( \| )+$/, ''),
    )
}

describe('measurements.csv', () => {
  it('has a row for each measure, with the run, the drill and its verdict', () => {
    const [, , , , , duration] = rows([sampleRecord()])
    expect(duration).toEqual({
      run: '20251123T010203-1',
      run_started_at: '2025-11-23T01:02:03.456Z',
      drill: 'P1',
      verdict: 'passed',
      measure: 'duration',
      of: '',
      value: '4.8',
      unit: 'seconds',
      objective: '',
      objective_verdict: '',
    })
  })

  it('begins with the run as a whole', () => {
    const whole = rows([sampleRecord(), sampleRecord({ id: 'P2', state: 'pending' })]).filter(
      ({ drill }) => drill === '',
    )
    expect(whole.map(({ measure, of, value, unit, verdict }) => [measure, of, value, unit, verdict])).toEqual([
      ['run duration', '', '60', 'seconds', 'unknown'],
      ['drills', 'passed', '1', 'drills', 'unknown'],
      ['drills', 'failed', '0', 'drills', 'unknown'],
      ['drills', 'unknown', '1', 'drills', 'unknown'],
      ['drills', 'not exercised', '0', 'drills', 'unknown'],
    ])
  })

  it('tells the time of each step of a drill, not of those within it', () => {
    const steps = [
      sampleStep({ title: 'Recover', steps: [sampleStep({ title: 'within' })] }),
      sampleStep({ title: 'Check' }),
    ]
    expect(told(sampleRecord({ journal: sampleJournal({ steps }) }))).toEqual([
      'duration |  | 4.8 | seconds',
      'step duration | Recover | 0.21 | seconds',
      'step duration | Check | 0.21 | seconds',
    ])
  })

  it('tells time and loss against their objectives, what was promised and what became of it, and sizes', () => {
    const journal = sampleJournal({
      rto: {
        seconds: 1.50000000004,
        phases: [{ name: 'noticed', seconds: 1.5 }],
        objectiveSeconds: 1,
        verdict: 'missed',
      },
      rpo: {
        seconds: 0.5,
        promisedCommits: 7,
        missingCommits: 0,
        discardedCommits: 2,
        undecidedCommits: 1,
        walBytes: 100,
        verdict: 'no objective',
      },
      sizes: { baseBackupBytes: 1, databaseBytes: 2, replayedWalBytes: 3, rows: 4 },
    })
    expect(told(sampleRecord({ journal })).slice(2)).toEqual([
      'rto |  | 1.5 | seconds | 1 | missed',
      'rto phase | noticed | 1.5 | seconds',
      'rpo |  | 0.5 | seconds |  | no objective',
      'promised commits |  | 7 | commits',
      'missing commits |  | 0 | commits',
      'discarded commits |  | 2 | commits',
      'undecided commits |  | 1 | commits',
      'lost wal |  | 100 | bytes',
      'base backup size |  | 1 | bytes',
      'database size |  | 2 | bytes',
      'replayed wal |  | 3 | bytes',
      'rows |  | 4 | rows',
    ])
  })

  it('leaves out what was not measured: of a backup of the user nobody knows what was promised', () => {
    const journal = sampleJournal({ rpo: { seconds: 0.5, verdict: 'no objective' } })
    expect(told(sampleRecord({ journal })).slice(2)).toEqual(['rpo |  | 0.5 | seconds |  | no objective'])
  })

  it('tells what is predicted, and from which fault to which alarm it took how long', () => {
    const journal = sampleJournal({
      predictions: [
        { databaseBytes: 10, walBytes: 20, seconds: 9, phases: [{ name: 'all else', seconds: 9 }], assumptions: [] },
      ],
      faults: [
        {
          fault: 'segment lost',
          signals: {
            'missing-archive-segment': 'fires',
            'wal-growth-without-archiving': 'quiet',
            'recovery-stall': 'quiet',
          },
          windowSeconds: 1,
          secondsToFire: { 'missing-archive-segment': 1.2 },
          looks: 30,
        },
      ],
    })
    expect(told(sampleRecord({ journal })).slice(2)).toEqual([
      'predicted rto | 10 bytes of base backup, 20 of WAL | 9 | seconds',
      'predicted rto phase | all else: 10 bytes of base backup, 20 of WAL | 9 | seconds',
      'time to missing-archive-segment | segment lost | 1.2 | seconds',
      'alarm window | segment lost | 1 | seconds',
      'looks of the detectors | segment lost | 30 | looks',
    ])
  })

  it('tells nothing of a drill that was not exercised', () => {
    expect(told(sampleRecord({ state: 'skipped', note: 'it needs Docker' }))).toEqual([])
  })
})
