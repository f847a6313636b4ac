import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FaultSeen } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { drillFamilies, type ToldRun, toldRunSchema } from './drill-metrics.ts'

const MINUTE_MS = 60_000
const BEGAN_MS = Date.parse('2025-11-23T01:02:03.456Z')

/** A run that takes a minute, `minute` minutes after the first; its drills take two seconds. */
function run(minute: number, records: DrillRecord[], more: Partial<ToldRun['run'] & ToldRun['runtime']> = {}): ToldRun {
  const at = (ms: number) => new Date(BEGAN_MS + minute * MINUTE_MS + ms).toISOString()
  const { state = 'finished', name = 'embedded', serverVersion = '18.4' } = more
  const evidence = buildEvidence(
    { ...sampleFacts, id: `run-${minute}`, startedAt: at(0), runtime: { ...sampleFacts.runtime, name, serverVersion } },
    records.map(record => ({ ...record, startedAt: at(1000), durationSeconds: 2 })),
    { state, endedAt: at(MINUTE_MS), problems: [] },
  )
  return toldRunSchema.parse(evidence)
}

function asShard(told: ToldRun): ToldRun {
  return { ...told, run: { ...told.run, shard: { index: 1, count: 2 } } }
}

function drill(id: string, verdict: 'passed' | 'failed' | 'unknown' | 'not exercised' = 'passed'): DrillRecord {
  const record = sampleRecord({ id, journal: sampleJournal({ id }) })
  if (verdict === 'failed')
    return { ...record, state: 'failed', errors: [{ name: 'Failure', kind: 'rows-missing', message: 'x' }] }
  if (verdict === 'unknown') return { ...record, state: 'pending' }
  return verdict === 'passed' ? record : { ...record, state: 'skipped', note: 'it needs Docker' }
}

/** The samples of a family, each as its labels' values and its value. */
function samples(runs: ToldRun[], name: string): [string, number][] {
  const family = drillFamilies(runs).find(one => one.name === `pg_recovery_${name}`)
  return (family?.samples ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value])
}

/** Those that are 1. */
function holding(runs: ToldRun[], name: string): string[] {
  return samples(runs, name).flatMap(([labels, value]) => (value === 1 ? [labels] : []))
}

const minutes = (count: number) => (BEGAN_MS + count * MINUTE_MS) / 1000

describe('drillFamilies', () => {
  it('tells of the last run on each runtime and major', () => {
    const runs = [
      run(3, [drill('P1', 'failed')], { serverVersion: '17.10' }),
      run(2, [drill('P1')]),
      run(1, [drill('P1', 'failed')]),
      run(0, [drill('P1', 'unknown')], { name: 'docker' }),
    ]
    expect(samples(runs, 'run_timestamp_seconds')).toEqual([
      ['docker 18', minutes(1)],
      ['embedded 18', minutes(3)],
      ['embedded 17', minutes(4)],
    ])
    expect(samples(runs, 'run_duration_seconds').map(([, seconds]) => seconds)).toEqual([60, 60, 60])
    expect(holding(runs, 'run_verdict')).toEqual(['docker 18 unknown', 'embedded 18 passed', 'embedded 17 failed'])
  })

  it('tells of each drill its last verdict, and when it last passed, in a run that had it', () => {
    const runs = [
      run(0, [drill('P2'), drill('P10'), drill('P1')]),
      run(1, [drill('P10', 'failed'), drill('P3', 'not exercised')]),
    ]
    expect(holding(runs, 'drill_verdict')).toEqual([
      'P1 3 embedded 18 passed',
      'P2 3 embedded 18 passed',
      'P3 3 embedded 18 not exercised',
      'P10 3 embedded 18 failed',
    ])
    expect(samples(runs, 'drill_verdict')).toHaveLength(16)
    expect(samples(runs, 'drill_last_success_timestamp_seconds')).toEqual(
      ['P1', 'P2', 'P10'].map(id => [`${id} 3 embedded 18`, minutes(0) + 3]),
    )
  })

  it('tells what was measured when a drill last passed, and not when it failed', () => {
    const journal = sampleJournal({
      rto: { seconds: 1.23456, phases: [], verdict: 'no objective' },
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
    const passed = run(0, [sampleRecord({ journal })])
    const failed = run(1, [{ ...drill('P1', 'failed'), journal: { ...journal, sizes: { baseBackupBytes: 1 } } }])
    for (const runs of [[passed], [passed, failed]]) {
      expect(samples(runs, 'drill_rto_seconds')).toEqual([['P1 3 embedded 18', 1.235]])
      expect(samples(runs, 'drill_rpo_seconds')).toEqual([['P1 3 embedded 18', 0.5]])
      expect(samples(runs, 'drill_base_backup_bytes')).toEqual([['P1 3 embedded 18', 37_211_358]])
      expect(samples(runs, 'drill_replayed_wal_bytes')).toEqual([['P1 3 embedded 18', 21_211_464]])
    }
    expect(samples([failed], 'drill_rto_seconds')).toEqual([])
  })

  it('tells how long each alarm took, the longest of several, and no state of it', () => {
    const fault = (secondsToFire: FaultSeen['secondsToFire']): FaultSeen => ({
      fault: 'x',
      signals: {
        'missing-archive-segment': 'fires',
        'wal-growth-without-archiving': 'fires',
        'recovery-stall': 'quiet',
      },
      secondsToFire,
      windowSeconds: 1,
      looks: 3,
    })
    const faults = [
      fault({ 'wal-growth-without-archiving': 1.2 }),
      fault({ 'wal-growth-without-archiving': 1.3, 'missing-archive-segment': 1.1 }),
      fault({}),
    ]
    const runs = [run(0, [sampleRecord({ journal: sampleJournal({ faults }) })])]
    expect(samples(runs, 'drill_alarm_seconds')).toEqual([
      ['P1 3 embedded 18 wal-growth-without-archiving', 1.3],
      ['P1 3 embedded 18 missing-archive-segment', 1.1],
    ])
    const named = drillFamilies(runs).filter(({ samples }) =>
      JSON.stringify(samples).includes('missing-archive-segment'),
    )
    expect(named.map(({ name }) => name)).toEqual(['pg_recovery_drill_alarm_seconds'])
  })

  it.each([
    ['was cut off', run(1, [drill('P1', 'failed')], { state: 'interrupted' })],
    ['is a shard', asShard(run(1, [drill('P1', 'failed')]))],
    ['has not ended', run(1, [drill('P1', 'failed')], { state: 'running' })],
    ['had something broken on purpose', run(1, [drill('P2'), { ...drill('P1', 'failed'), sabotage: 'row-altered' }])],
    ['drilled nothing', run(1, [])],
  ])('says nothing of a run that %s', (_, other) => {
    expect(drillFamilies([other, run(0, [drill('P1')])])).toEqual(drillFamilies([run(0, [drill('P1')])]))
    expect(drillFamilies([other]).flatMap(({ samples }) => samples)).toEqual([])
  })

  it('has one value for two drills that bear one id: the worse', () => {
    for (const twice of [
      [drill('P1'), drill('P1', 'failed')],
      [drill('P1', 'failed'), drill('P1')],
    ]) {
      expect(holding([run(0, twice)], 'drill_verdict')).toEqual(['P1 3 embedded 18 failed'])
      expect(samples([run(0, twice)], 'drill_last_success_timestamp_seconds')).toEqual([])
    }
  })

  it('comes to the same in whatever order runs are read, and forgets no success', () => {
    const verdict = fc.constantFrom('passed', 'failed', 'unknown', 'not exercised')
    const drills = fc.dictionary(fc.constantFrom('P1', 'P2', 'P10'), verdict, { minKeys: 1 })
    const place = fc.record({
      name: fc.constantFrom('docker', 'embedded'),
      serverVersion: fc.constantFrom('18.4', '15.20'),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(drills, place)), fc.infiniteStream(fc.nat()), (nights, order) => {
        const runs = nights.map(([verdicts, where], minute) =>
          run(
            minute,
            Object.entries(verdicts).map(([id, one]) => drill(id, one)),
            where,
          ),
        )
        const shuffled = runs.map(one => ({ one, at: order.next().value })).sort((a, b) => a.at - b.at)
        expect(drillFamilies(shuffled.map(({ one }) => one))).toEqual(drillFamilies(runs))
        const successes = nights.flatMap(([verdicts, { name, serverVersion }], minute) =>
          Object.entries(verdicts).flatMap(([id, one]): [string, number][] =>
            one === 'passed' ? [[`${id} 3 ${name} ${serverVersion.slice(0, 2)}`, minutes(minute) + 3]] : [],
          ),
        )
        expect(new Map(samples(runs, 'drill_last_success_timestamp_seconds'))).toEqual(new Map(successes))
      }),
      { numRuns: 50 },
    )
  })
})
