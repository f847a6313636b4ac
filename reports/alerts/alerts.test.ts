// Goal:   the alerting rules ring when they should and at no other time, over metrics that are really written.
// Method: Prometheus's own checks of them; and the same checks of rules with one mistake each, which they must find.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { buildEvidence } from '../build-evidence.ts'
import { drillFamilies, toldRunSchema } from '../metrics/drill-metrics.ts'
import { openMetricsText } from '../metrics/open-metrics.ts'
import { preflightFamilies } from '../metrics/preflight-metrics.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'

const RULES = 'pg-recovery-drills.rules.yml'
const rules = readFileSync(path.join(import.meta.dirname, RULES), 'utf8')
const tests = readdirSync(import.meta.dirname).filter(file => file.endsWith('.test.yml'))

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** What promtool says, and whether it is content; without it the test is skipped. */
function promtool(
  skip: TestContext['skip'],
  args: string[],
  { cwd = import.meta.dirname, input = '' } = {},
): { status: number | null; told: string } {
  if (!hasPromtool) skip("promtool is not on PATH: Debian's package prometheus has it")
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, input, encoding: 'utf8' })
  return { status, told: stdout + stderr }
}

/** Runs promtool's tests of `file` against other rules. */
function judge(skip: TestContext['skip'], changed: string, file: string) {
  const folder = mkdtempSync(path.join(tmpdir(), 'alerts-'))
  try {
    writeFileSync(path.join(folder, RULES), changed)
    writeFileSync(path.join(folder, file), readFileSync(path.join(import.meta.dirname, file), 'utf8'))
    return promtool(skip, ['test', 'rules', file], { cwd: folder })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const journal = sampleJournal({
  faults: [
    {
      fault: 'x',
      signals: {
        'missing-archive-segment': 'fires',
        'wal-growth-without-archiving': 'quiet',
        'recovery-stall': 'quiet',
      },
      windowSeconds: 1,
      secondsToFire: { 'missing-archive-segment': 1.2 },
      looks: 3,
    },
  ],
  rto: { seconds: 1.2, phases: [], verdict: 'no objective' },
  rpo: {
    seconds: 0.5,
    promisedCommits: 1,
    missingCommits: 0,
    discardedCommits: 0,
    walBytes: 0,
    discarded: [],
    undecidedCommits: 0,
    verdict: 'no objective',
  },
  sizes: { baseBackupBytes: 37_211_358, replayedWalBytes: 21_211_464 },
})
const evidence = buildEvidence(sampleFacts, [sampleRecord({ journal })], {
  state: 'finished',
  endedAt: '2025-11-23T01:12:03.456Z',
  problems: [],
})
const families = drillFamilies([toldRunSchema.parse(evidence)])

describe('what the drills write', () => {
  it('has a value of every measure, and is as Prometheus wants it', ({ skip }) => {
    expect(families.filter(({ samples }) => samples.length === 0)).toEqual([])
    expect(promtool(skip, ['check', 'metrics'], { input: openMetricsText(families) })).toEqual({ status: 0, told: '' })
  })

  it('is what the rules over it read', () => {
    const read = new Set(rules.match(/pg_recovery_drill_\w+/g))
    expect(read.size).toBeGreaterThan(0)
    expect([...read].filter(name => !families.some(family => family.name === name))).toEqual([])
  })
})

describe('what a preflight writes', () => {
  const told = preflightFamilies({
    version: 1,
    verdict: 'go',
    at: '2026-01-02T04:00:00.000Z',
    tookSeconds: 1,
    where: 'db:5432/app',
    looks: 3,
    window: {
      backup: { label: 'nightly', startLsn: '0/2000028', stopLsn: '0/2000120', timeline: 1 },
      from: '2026-01-02T03:00:00Z',
      to: '2026-01-02T03:59:30.123456Z',
      toLsn: '0/6000000',
      behindSeconds: 30,
    },
    lag: { segments: 1, bytes: 100, seconds: 30 },
    signals: { 'missing-archive-segment': 0, 'wal-growth-without-archiving': 1, 'recovery-stall': 0 },
    checks: [],
  })

  it('has a value of every measure, and is as Prometheus wants it', ({ skip }) => {
    expect(told.filter(({ samples }) => samples.length === 0)).toEqual([])
    const end = told.find(({ name }) => name === 'pg_recovery_window_end_timestamp_seconds')
    expect(end?.samples).toEqual([{ labels: {}, value: Date.parse('2026-01-02T03:59:30.000Z') / 1000 }])
    expect(promtool(skip, ['check', 'metrics'], { input: openMetricsText(told) })).toEqual({ status: 0, told: '' })
  })

  it('is what the rules over it read, and what the README lists', () => {
    const readme = readFileSync(path.join(import.meta.dirname, 'README.md'), 'utf8')
    const section = readme.slice(readme.indexOf('## From the detectors'), readme.indexOf('## From postgres_exporter'))
    const listed = [...section.matchAll(/^\| (`.*?) \| /gm)].flatMap(
      ([, names = '']) => names.match(/pg_recovery_\w+/g) ?? [],
    )
    expect([...new Set(listed)].sort()).toEqual(told.map(({ name }) => name).sort())
    const read = rules.match(/pg_recovery_signals?_\w+/g) ?? []
    expect(read.length).toBeGreaterThan(0)
    expect([...read].filter(name => !told.some(family => family.name === name))).toEqual([])
  })
})

describe('the rules', () => {
  it('are valid', ({ skip }) => {
    expect(promtool(skip, ['check', 'rules', RULES])).toMatchObject({ status: 0 })
  })

  it.for(tests)('ring when they should, and alone: %s', (file, { skip }) => {
    expect(judge(skip, rules, file)).toMatchObject({ status: 0 })
  })

  it.for([
    ['drills.test.yml', '26 * 3600', '25 * 3600'],
    ['drills.test.yml', '26 * 3600', '27 * 3600'],
    [
      'drills.test.yml',
      'max(pg_recovery_drill_last_success_timestamp_seconds{runbook="3"})',
      'max(pg_recovery_drill_last_success_timestamp_seconds)',
    ],
    ['drills.test.yml', 'or absent(', 'and absent('],
    ['drills.test.yml', '"failed|unknown"', '"failed"'],
    ['signals.test.yml', '&rto_window 15m', '&rto_window 5m'],
    ['signals.test.yml', '&rto_window 15m', '&rto_window 25m'],
    ['signals.test.yml', '{signal="missing-archive-segment"} > 0', '{signal="missing-archive-segment"} > 2'],
    ['signals.test.yml', '{signal="recovery-stall"} > 0', '{signal="recovery-stall"} >= 0'],
    ['signals.test.yml', '> 3600', '> 7200'],
    ['postgres-exporter.test.yml', 'and on (job, instance) increase(pg_stat_archiver_archived_count[5m]) == 0', ''],
    ['postgres-exporter.test.yml', ':at_last_archive >= 2', ':at_last_archive >= 1'],
    ['postgres-exporter.test.yml', 'or pg_recovery:wal_segments:at_last_archive', ''],
    ['postgres-exporter.test.yml', 'or pg_recovery:rows_written:at_last_archive', ''],
    [
      'postgres-exporter.test.yml',
      'pg_recovery:rows_written > pg_recovery:rows_written:at_last_archive',
      'pg_recovery:rows_written',
    ],
    ['postgres-exporter.test.yml', 'or pg_stat_archiver_archived_count == 0', 'or pg_stat_archiver_archived_count < 0'],
    ['postgres-exporter.test.yml', 'pg_replication_is_replica == 1', 'pg_replication_is_replica > 1'],
    ['postgres-exporter.test.yml', 'on (job, instance)', ''],
  ] as const)('with a mistake are found out by %s: %s → %s', ([file, right, wrong], { skip }) => {
    const changed = rules.replaceAll(right, wrong)
    expect(changed).not.toBe(rules)
    const { status, told } = judge(skip, changed, file)
    // Not by being no rules at all.
    expect(told).toContain('got:')
    expect(status).toBe(1)
  })
})
