import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { FaultSeen } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord, type RunProgress } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { runMetrics } from './run-metrics.ts'

const metrics = (records: DrillRecord[], progress: Partial<RunProgress> = {}, facts = sampleFacts) =>
  runMetrics(
    buildEvidence(facts, records, {
      state: 'finished',
      endedAt: '2025-11-23T01:03:03.456Z',
      problems: [],
      ...progress,
    }),
  )

/** The samples of a family, without the labels that all drills share. */
function samples(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter(line => line.startsWith(`pg_recovery_bundle_${name}{`))
    .map(line =>
      line.slice(`pg_recovery_bundle_${name}`.length).replace('runbook="3",runtime="embedded",major="18"', '…'),
    )
}

const fault = (name: string, seconds: number): FaultSeen => ({
  fault: name,
  signals: { 'missing-archive-segment': 'fires', 'wal-growth-without-archiving': 'quiet', 'recovery-stall': 'quiet' },
  windowSeconds: 1,
  secondsToFire: { 'missing-archive-segment': seconds },
  looks: 3,
})

const full = sampleRecord({
  journal: sampleJournal({
    rto: {
      seconds: 1.23456,
      phases: [
        { name: 'noticed', seconds: 1 },
        { name: 'healthy', seconds: 0.23456 },
      ],
      objectiveSeconds: 60,
      verdict: 'met at this size',
    },
    rpo: { seconds: 0.5, promisedCommits: 7, missingCommits: 0, verdict: 'no objective' },
    sizes: { baseBackupBytes: 37_211_404, rows: 44_690 },
    faults: [fault('lost "segment"', 1.2), fault('twice', 1.1), fault('twice', 1.4)],
  }),
})
const failed = { state: 'failed', errors: [{ name: 'Failure', kind: 'rows-missing', message: 'x' }] } as const

describe('the metrics of a run', () => {
  it('say which run it is, when it was, and how it ended', () => {
    const text = metrics([full])
    expect(samples(text, 'info')).toEqual([
      `{run="20251123T010203-1",kind="nightly",state="finished",runtime="embedded",major="18",server_version="18.4",commit="unknown",runbook_sha256="${'0'.repeat(64)}"} 1`,
    ])
    expect(samples(text, 'start_timestamp_seconds')).toEqual(['{runtime="embedded",major="18"} 1763859723.456'])
    expect(samples(text, 'end_timestamp_seconds')).toEqual(['{runtime="embedded",major="18"} 1763859783.456'])
    expect(samples(text, 'verdict').filter(line => line.endsWith(' 1'))).toEqual([
      '{runtime="embedded",major="18",verdict="passed"} 1',
    ])
  })

  it('say what each drill measured', () => {
    const text = metrics([full])
    expect(samples(text, 'drill_duration_seconds')).toEqual(['{drill="P1",…} 4.8'])
    expect(samples(text, 'drill_rto_seconds')).toEqual(['{drill="P1",…} 1.235'])
    expect(samples(text, 'drill_rto_objective_seconds')).toEqual(['{drill="P1",…} 60'])
    expect(samples(text, 'drill_rto_phase_seconds')).toEqual([
      '{drill="P1",…,phase="noticed"} 1',
      '{drill="P1",…,phase="healthy"} 0.235',
    ])
    expect(samples(text, 'drill_rpo_seconds')).toEqual(['{drill="P1",…} 0.5'])
    expect(samples(text, 'drill_commits')).toEqual([
      '{drill="P1",…,outcome="promised"} 7',
      '{drill="P1",…,outcome="missing"} 0',
    ])
    expect(samples(text, 'drill_base_backup_bytes')).toEqual(['{drill="P1",…} 37211404'])
    expect(samples(text, 'drill_rows')).toEqual(['{drill="P1",…} 44690'])
    expect(samples(text, 'drill_alarm_seconds')).toEqual([
      '{drill="P1",…,fault="lost \\"segment\\"",signal="missing-archive-segment"} 1.2',
      '{drill="P1",…,fault="twice",signal="missing-archive-segment"} 1.4',
    ])
    expect(samples(text, 'drill_alarm_window_seconds')).toHaveLength(2)
  })

  it('say so of drills that failed and of those that were not exercised', () => {
    const skipped = sampleRecord({
      id: 'P2',
      journal: sampleJournal({ id: 'P2' }),
      state: 'skipped',
      note: 'it needs Docker',
    })
    const text = metrics([{ ...full, ...failed }, skipped])
    expect(samples(text, 'drill_verdict').filter(line => line.endsWith(' 1'))).toEqual([
      '{drill="P1",…,verdict="failed"} 1',
      '{drill="P2",…,verdict="not exercised"} 1',
    ])
    expect(samples(text, 'drill_rto_seconds')).toEqual(['{drill="P1",…} 1.235'])
    expect(samples(text, 'drill_duration_seconds')).toHaveLength(1)
  })

  it('say so of a run that was cut off', () => {
    const text = metrics([full], { state: 'interrupted' })
    expect(text).toContain('state="interrupted"')
    expect(samples(text, 'verdict')).toContain('{runtime="embedded",major="18",verdict="unknown"} 1')
    expect(samples(text, 'drill_rto_seconds')).toHaveLength(1)
  })

  it('say nothing of what was broken on purpose', () => {
    const broken = [{ ...full, sabotage: 'row-altered' }]
    expect(metrics(broken)).not.toContain('_drill_')
    expect(metrics([full], {}, { ...sampleFacts, kind: 'sabotage' })).not.toContain('_drill_')
  })

  it('have one value for two drills of one id', () => {
    expect(samples(metrics([full, { ...full, ...failed }]), 'drill_verdict')).toHaveLength(4)
  })

  it('are what promtool reads without complaint', ({ skip }) => {
    if (spawnSync('promtool', ['--version']).status !== 0)
      skip("promtool is not on PATH: Debian's package prometheus has it")
    for (const text of [
      metrics([full, sampleRecord({ ...failed, id: 'P2' })]),
      metrics([]),
      metrics([full], { state: 'running' }),
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
      expect({ status, told: stdout + stderr }).toEqual({ status: 0, told: '' })
    }
  })
})
