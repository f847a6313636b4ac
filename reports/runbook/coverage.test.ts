import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { declaredDrills } from '../../helpers/evidence/declared-drills.ts'
import { faultsOf } from '../../helpers/evidence/faults.ts'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { coverRunbook, coverSteps } from './coverage.ts'
import { readRunbook } from './runbook.ts'
import { STEPS } from './steps.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const doers = Object.values(STEPS).flat()

describe('the drills of each step', () => {
  it('are known of every step of the runbook, and of no other', () => {
    const texts = readRunbook(readFileSync(path.join(ROOT, 'drills/runbook.md'), 'utf8')).map(({ text }) => text)
    expect(Object.keys(STEPS)).toEqual(texts)
    expect(Object.entries(STEPS).filter(([, drills]) => drills.length === 0)).toEqual([])
  })

  it('are drills that there are', () => {
    const ids = declaredDrills().map(({ id }) => id)
    const named = doers.map(doer => (typeof doer === 'string' ? doer : doer.drill))
    expect([...new Set(named)].filter(id => !ids.includes(id))).toEqual([])
  })

  it('are those that a fault of theirs makes ring, for a signal', () => {
    expect(STEPS['Recovery command stalls before `restore` completion']).toEqual(['N11', 'N12'])
    for (const quiet of ['N3', 'N10', 'N16', 'N19'])
      expect(STEPS['Escalate if any of the above persists beyond your RTO window.']).not.toContain(quiet)
  })

  it('say so in a proof that fixtures make, where they do a step only when they are asked to', () => {
    const fixtures = ['fixtures/live', 'fixtures/expectations'].flatMap(folder =>
      readdirSync(path.join(ROOT, folder)).map(file => readFileSync(path.join(ROOT, folder, file), 'utf8')),
    )
    const proofs = fixtures.flatMap(text => text.split('journal.prove(').slice(1)).map(text => text.slice(0, 300))
    for (const doer of doers)
      if (typeof doer !== 'string') expect(proofs.filter(text => doer.proof.test(text))).not.toEqual([])
  })
})

describe('coverRunbook', () => {
  const drill = (id: string, record: Partial<DrillRecord> = {}) =>
    sampleRecord({ id, journal: sampleJournal({ id }), ...record })
  const failed = { state: 'failed', errors: [{ name: 'Failure', kind: 'x', message: 'x' }] } as const

  function proven(records: DrillRecord[], state: 'running' | 'finished' | 'interrupted' = 'finished'): string[] {
    const steps = coverRunbook(buildEvidence(sampleFacts, records, { state, problems: [] }))
    return steps.filter(({ outcome }) => outcome === 'proven').map(({ step }) => step)
  }

  it('proves a step by a drill that passed, and says which and when', () => {
    const evidence = buildEvidence(sampleFacts, [drill('R1')], { state: 'finished', problems: [] })
    expect(coverRunbook(evidence)[0]).toEqual({
      section: '1',
      heading: 'Verify WAL archival state',
      step: '1.1',
      text: '`archive_mode` = `on`',
      drills: [{ id: 'R1', verdict: 'passed', at: '2025-11-23T01:02:03.456Z' }],
      outcome: 'proven',
    })
    expect(proven([drill('R1')])).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5'])
  })

  it('covers all but the alarms of the whole playbook by P1', () => {
    expect(proven([drill('P1')])).toEqual(['2.1', '2.2', '3.1', '3.2', '3.3', '3.4', '3.5', '3.6', '3.7'])
  })

  it('proves a signal by a drill whose faults made it ring', () => {
    const faults = faultsOf('N9').map(({ fault }) => ({
      fault,
      signals: {
        'missing-archive-segment': 'quiet',
        'wal-growth-without-archiving': 'fires',
        'recovery-stall': 'quiet',
      } as const,
      windowSeconds: 1,
      secondsToFire: {},
      looks: 1,
    }))
    expect(proven([sampleRecord({ id: 'N9', journal: sampleJournal({ id: 'N9', faults }) })])).toEqual(['4.2', '4.4'])
  })

  it.each([
    ['failed', [drill('R1', failed)]],
    ['was not exercised', [drill('R1', { state: 'skipped', note: 'it needs Docker' })]],
    ['is unknown', [drill('R1', { state: 'pending' })]],
    ['failed beside one of its id that passed', [drill('R1'), drill('R1', failed)]],
    ['passed where something was broken on purpose', [drill('R1'), drill('P1', { sabotage: 'row-altered' })]],
  ])('proves nothing by a drill that %s', (_, records) => {
    expect(proven(records)).toEqual([])
  })

  it('proves nothing by a run that was cut off', () => {
    expect(proven([drill('R1')], 'interrupted')).toEqual([])
    expect(proven([drill('R1')], 'running')).toEqual([])
  })

  /** What is said of `archive_mode`, which R1 alone reads. */
  function outcome(records: DrillRecord[], state: 'running' | 'finished' | 'interrupted' = 'finished') {
    return coverRunbook(buildEvidence(sampleFacts, records, { state, problems: [] }))[0]?.outcome
  }

  it.each([
    ['failed', [drill('R1', failed)], 'failed'],
    ['not exercised', [drill('R1', { state: 'skipped', note: 'it needs Docker' })], 'not exercised'],
    ['unknown', [drill('R1', { state: 'pending' })], 'unknown'],
    ['not part of this run', [drill('P1')], 'not part of this run'],
  ])('tells a step that is %s from every other that is not proven', (_, records, told) => {
    expect(outcome(records)).toBe(told)
  })

  it('tells what failed, what passed in vain and what was not begun in a run that was cut off', () => {
    for (const state of ['running', 'interrupted'] as const) {
      expect(outcome([drill('R1', failed)], state)).toBe('failed')
      expect(outcome([drill('R1')], state)).toBe('unknown')
      expect(outcome([drill('P1')], state)).toBe('not begun')
    }
  })

  it('takes a step for proven by one drill though another that does it failed, and for failed where none passed', () => {
    const replay = (...records: DrillRecord[]) => {
      const steps = coverRunbook(buildEvidence(sampleFacts, records, { state: 'finished', problems: [] }))
      return steps.find(({ step }) => step === '3.5')?.outcome
    }
    expect(replay(drill('P1'), drill('P2', failed))).toBe('proven')
    expect(replay(drill('P1', { state: 'pending' }), drill('P2', failed))).toBe('failed')
  })

  it("takes a restore of the user's backup for a step only where it was asked to do it", () => {
    const restored = (...proofs: string[]) =>
      proven([sampleRecord({ id: 'L1', journal: sampleJournal({ id: 'L1', proofs }) })])
    expect(restored('the database dispatch takes writes')).toEqual(['3.3', '3.4', '3.5'])
    expect(restored('the health command of the application succeeds on the restored server')).toContain('3.6')
    expect(restored('each of 3 tables is as the snapshot of 2025 has it')).toContain('3.7')
  })

  it('proves no step that was written anew', () => {
    const evidence = buildEvidence(sampleFacts, [drill('R1')], { state: 'finished', problems: [] })
    const step = { section: '1', heading: 'x', step: '1.1', text: '`archive_mode` = `always`' }
    expect(coverSteps([step], evidence)).toEqual([{ ...step, drills: [], outcome: 'not part of this run' }])
  })
})
