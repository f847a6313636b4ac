import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord, type RunProgress } from '../build-evidence.ts'
import { type ControlCoverage, coverControls } from '../controls/controls.ts'
import type { Trend } from '../history/trends.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { exceptionsOf, exceptionsSchema } from './exceptions.ts'

const failure = {
  state: 'failed',
  errors: [{ name: 'Failure', kind: 'rows-missing', message: 'two rows are missing' }],
} as const
const drill = (id: string, record: Partial<DrillRecord> = {}) =>
  sampleRecord({ id, journal: sampleJournal({ id }), ...record })
const run = (records: DrillRecord[], progress: Partial<RunProgress> = {}): Evidence =>
  buildEvidence(sampleFacts, records, { state: 'finished', problems: [], ...progress })

function told(evidence: Evidence, more: { controls?: ControlCoverage[]; trends?: Trend[] } = {}): string[] {
  const exceptions = exceptionsOf(evidence, { controls: [], trends: [], ...more })
  expect(exceptionsSchema.parse(exceptions)).toEqual(exceptions)
  return exceptions.map(({ id, kind, drill, sentence }) => [id, kind, drill ?? '', sentence].join(' | '))
}

describe('the exceptions of a run', () => {
  it('are none where all passed and nothing is missing', () => {
    expect(told(run([drill('P1')]))).toEqual([])
  })

  it('are drills that failed, that nobody knows of, and that were not exercised, each with why', () => {
    const records = [
      drill('P1', failure),
      drill('P2', { state: 'pending' }),
      drill('P3', { state: 'skipped', note: 'it needs Docker' }),
    ]
    expect(told(run(records))).toEqual([
      'P1 failed | failed | P1 | recovery to an LSN: two rows are missing',
      'P2 unknown | unknown | P2 | recovery to an LSN: it did not end',
      'P3 not exercised | not exercised | P3 | recovery to an LSN: it needs Docker',
    ])
  })

  it('are objectives that were missed, though the drill passed', () => {
    const journal = sampleJournal({
      rto: { seconds: 2.0000001, phases: [], objectiveSeconds: 1, verdict: 'missed' },
      rpo: { seconds: 3, objectiveSeconds: 4, verdict: 'met at this size' },
    })
    expect(told(run([sampleRecord({ journal })]))).toEqual([
      'P1 RTO | objective missed | P1 | the RTO was 2.00 s, and the objective is 1 s',
    ])
  })

  it('are problems of the run as a whole', () => {
    const problems = [{ kind: 'left-behind', message: 'the run left something behind' }]
    expect(told(run([drill('P1')], { problems }))).toEqual([
      'run left-behind | run problem |  | the run left something behind',
    ])
    expect(told(run([drill('P1')], { state: 'interrupted' }))).toEqual([
      'run interrupted | run problem |  | the run was cut off',
    ])
    expect(told(run([drill('P1')], { state: 'running' }))).toEqual([
      'run not ended | run problem |  | the run had not ended when this was written',
    ])
  })

  it('are drills that took much longer than before', () => {
    const trends: Trend[] = [
      { drill: 'P1', rto: [], medianSeconds: 1, warning: 'P1 took 2.5 s, twice the median of 1 s' },
      { drill: 'P2', rto: [], medianSeconds: 1 },
    ]
    expect(told(run([drill('P1')]), { trends })).toEqual([
      'P1 slower | slower | P1 | P1 took 2.5 s, twice the median of 1 s',
    ])
  })

  it('are controls without a drill that passed', () => {
    const evidence = run([drill('P1')])
    const controls = ['P1', 'P2'].map((one, index) => ({
      standard: 'SOC 2',
      id: `A1.${index}`,
      title: 'x',
      drills: [one],
    }))
    expect(told(evidence, { controls: coverControls(controls, evidence) })).toEqual([
      'control gap A1.1 | control gap |  | Gap of SOC 2 A1.1: no drill that supports it passed in this run (P2 not part of it)',
    ])
  })

  it('are deviations of the runbook, each once, with the drills that met it and the text that is proposed', () => {
    const pause = { section: '3.4', what: 'paused', why: 'to look', proposedText: 'Pause.' }
    const check = { section: '3.4', what: 'checked', why: 'to see', proposedText: 'Check.' }
    const meeting = (id: string, deviations: (typeof pause)[]) =>
      drill(id, { journal: sampleJournal({ id, deviations }) })
    const evidence = run([meeting('P1', [pause, check, pause]), meeting('P2', [pause])])
    expect(exceptionsOf(evidence, { controls: [], trends: [] })).toEqual([
      {
        id: 'deviation 3.4',
        kind: 'deviation',
        drills: ['P1', 'P2'],
        sentence: 'paused: to look',
        proposedText: 'Pause.',
        remediationTicket: '',
        reviewer: '',
      },
      {
        id: 'deviation 3.4 (2)',
        kind: 'deviation',
        drills: ['P1'],
        sentence: 'checked: to see',
        proposedText: 'Check.',
        remediationTicket: '',
        reviewer: '',
      },
    ])
  })

  it('have an id each, whatever bears the same name', () => {
    const evidence = run([drill('P1', failure), drill('P1', { ...failure, sabotage: 'row-altered' })])
    expect(told(evidence).map(one => one.split(' | ')[0])).toEqual(['P1 failed', 'P1 failed (2)'])
  })
})
