import { parse } from 'csv-parse/sync'
import { expect, it } from 'vitest'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord, sampleStep } from '../sample.ts'
import { exceptionsOf } from '../tables/exceptions.ts'
import { type Control, coverControls } from './controls.ts'
import { controlsCsv } from './controls-csv.ts'

function rows(controls: Control[], records: DrillRecord[]): Record<string, string>[] {
  const evidence = buildEvidence(sampleFacts, records, { state: 'finished', problems: [] })
  const covered = coverControls(controls, evidence)
  const exceptions = exceptionsOf(evidence, { controls: covered, trends: [] })
  return parse(controlsCsv({ evidence, controls: covered, exceptions }), { columns: true })
}

const control = (id: string, ...drills: string[]): Control => ({
  standard: 'SOC 2',
  id,
  title: `Title of ${id}`,
  drills,
})

it('has a row for each control and drill, with what an auditor asks for', () => {
  const backup = sampleStep({ observations: { startLsn: '0/2000028', stopLsn: '0/2000120', timeline: 1 } })
  const journal = sampleJournal({
    steps: [sampleStep({ steps: [backup] })],
    proofs: ['the rows are there', 'the timeline is the next'],
    sizes: { baseBackupBytes: 37_211_404 },
    rto: { seconds: 1.5, phases: [], objectiveSeconds: 1, verdict: 'missed' },
    deviations: [{ section: '3.4', what: 'a', why: 'b', proposedText: 'c' }],
  })
  const [row] = rows([control('A1.3', 'P1')], [sampleRecord({ journal })])
  expect(row).toEqual({
    standard: 'SOC 2',
    control: 'A1.3',
    title: 'Title of A1.3',
    status: 'supported',
    finding: 'Supports SOC 2 A1.3: P1 passed',
    note: '',
    drill: 'P1',
    drill_title: 'recovery to an LSN',
    verdict: 'passed',
    result: 'the rows are there; and 1 more',
    started_at: '2025-11-23T01:02:03.456Z',
    duration_seconds: '4.8',
    base_backup: '0/2000028 to 0/2000120 on timeline 1',
    base_backup_taken_at: '2025-11-23T01:02:03.456Z',
    base_backup_bytes: '37211404',
    rto_seconds: '1.5',
    rpo_seconds: '',
    deviations: '1',
    exceptions: '1',
    run_id: '20251123T010203-1',
    run_kind: 'nightly',
    run_verdict: 'passed',
    run_by: 'Ada Lovelace (git)',
    environment: 'PostgreSQL 18.4, embedded',
    suite_commit: 'unknown',
    runbook_sha256: '0'.repeat(64),
    reviewer: '',
    remediation_ticket: '',
  })
})

it('names a backup of the user by where it lies, with the time of its own', () => {
  const opened = sampleStep({
    observations: { backup: '/b', takenAt: '2025-01-01T00:00:00.000Z', startLsn: '0/2', stopLsn: null },
  })
  const [row] = rows([control('A1.3', 'P1')], [sampleRecord({ journal: sampleJournal({ steps: [opened] }) })])
  expect(row).toMatchObject({ base_backup: '/b', base_backup_taken_at: '2025-01-01T00:00:00.000Z' })
})

it('tells of a drill that did not pass why, and of one that the run did not have that', () => {
  const failed = sampleRecord({
    state: 'failed',
    errors: [{ name: 'Failure', kind: 'rows-missing', message: 'two rows, of jobs, are missing' }],
  })
  const skipped = sampleRecord({
    id: 'P2',
    journal: sampleJournal({ id: 'P2' }),
    state: 'skipped',
    note: 'it needs Docker',
  })
  const told = rows([control('A1.3', 'P1', 'P2', 'P3')], [failed, skipped])
  expect(
    told.map(({ status, drill, verdict, result, exceptions }) => [status, drill, verdict, result, exceptions]),
  ).toEqual([
    ['gap', 'P1', 'failed', 'two rows, of jobs, are missing', '1'],
    ['gap', 'P2', 'not exercised', 'it needs Docker', '1'],
    ['gap', 'P3', 'not part of the run', '', ''],
  ])
})

it('has a row for a control that no drill is mapped to', () => {
  expect(rows([control('A1.3')], [sampleRecord()])).toEqual([
    expect.objectContaining({ control: 'A1.3', status: 'gap', drill: '', run_id: '20251123T010203-1' }),
  ])
})

it('gives a spreadsheet no formula that a server has said', () => {
  const journal = sampleJournal({ proofs: ['=cmd()'] })
  expect(rows([control('A1.3', 'P1')], [sampleRecord({ journal })])[0]?.result).toBe("'=cmd()")
})
