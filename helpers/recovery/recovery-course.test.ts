import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { courseOf, describeCourse, progressOf } from './recovery-course.ts'
import type { RecoverySample } from './recovery-sample.ts'

const PREFIX = '2026-01-02 03:04:05.678 UTC [42] '
const lsn = (text: string) => Lsn.parse(text)
const line = (atMs: number, text: string) => ({ atMs, text: `${PREFIX}${text}` })

/** A recovery to an LSN, with what each major words otherwise. */
function recovery(major: number) {
  return [
    line(1_010, 'postmaster LOG:  listening on IPv4 address "127.0.0.1", port 5433'),
    line(
      1_020,
      major >= 17
        ? 'startup LOG:  starting backup recovery with redo LSN 0/3000028, checkpoint LSN 0/3000080, on timeline ID 1'
        : 'startup LOG:  starting point-in-time recovery to WAL location (LSN) "0/9000000"',
    ),
    line(1_030, 'startup LOG:  restored log file "00000002.history" from archive'),
    line(1_100, 'startup LOG:  restored log file "000000010000000000000003" from archive'),
    line(1_110, 'startup LOG:  redo starts at 0/3000028'),
    line(1_150, `startup LOG:  consistent recovery state reached at ${major >= 19 ? '0/03025000' : '0/3025000'}`),
    line(1_151, 'postmaster LOG:  database system is ready to accept read-only connections'),
    line(1_500, 'startup LOG:  restored log file "000000010000000000000004" from archive'),
    line(11_110, 'startup LOG:  redo in progress, elapsed time: 10.00 s, current LSN: 0/8000000'),
    line(12_110, 'startup LOG:  recovery stopping before WAL location (LSN) "0/9000000"'),
    line(12_111, 'startup LOG:  pausing at the end of recovery'),
  ]
}

const promotion = [
  line(13_000, 'startup LOG:  redo done at 0/8FFFFC8 system usage: CPU: user: 0.05 s, system: 0.02 s, elapsed: 1.9 s'),
  line(13_010, 'startup LOG:  selected new timeline ID: 2'),
  line(13_020, 'startup LOG:  archive recovery complete'),
  line(13_100, 'postmaster LOG:  database system is ready to accept connections'),
]

const samples: RecoverySample[] = [
  { atMs: 1_050, activity: 'waiting', segment: '000000010000000000000003' },
  { atMs: 1_200, replayLsn: lsn('0/4000000'), pauseState: 'not paused', waitEvent: 'RestoreCommand' },
  { atMs: 2_200, replayLsn: lsn('0/5000000'), pauseState: 'not paused' },
  { atMs: 12_200, replayLsn: lsn('0/9000000'), pauseState: 'paused', waitEvent: 'RecoveryPause' },
]

describe.each([15, 16, 17, 18])('PostgreSQL %i', major => {
  test('every event is told from the log, in its order', () => {
    const course = courseOf({ startedAtMs: 1_000, lines: [...recovery(major), ...promotion], samples })
    expect(course.events).toEqual([
      { name: 'base restored', atMs: 1_000 },
      { name: 'first WAL fetched', atMs: 1_100 },
      { name: 'replaying', atMs: 1_110 },
      { name: 'consistent', atMs: 1_150 },
      { name: 'target reached', atMs: 12_110 },
      { name: 'promoted', atMs: 13_020 },
      { name: 'accepting writes', atMs: 13_100 },
    ])
  })

  test('the rate is that from the first record to the target, however long it was paused there', () => {
    const { replay } = courseOf({ startedAtMs: 1_000, lines: recovery(major), samples })
    expect(replay).toMatchObject({ bytes: 0x9000000 - 0x3000028, seconds: 11, fetchShare: 0.5 })
    expect(replay?.bytesPerSecond).toBeCloseTo((0x9000000 - 0x3000028) / 11, 6)
  })
})

test('without a stop record, the last look tells how far replay came', () => {
  const lines = recovery(18).filter(({ text }) => !/stopping|pausing/.test(text))
  const { replay, events } = courseOf({ startedAtMs: 1_000, lines, samples: samples.slice(0, 3) })
  expect(String(replay?.toLsn)).toBe('0/8000000')
  expect(replay?.seconds).toBe(10)
  expect(events.at(-1)?.name).toBe('consistent')
})

test('before the first record there is no rate, and what was not seen is not told', () => {
  expect(courseOf({ startedAtMs: 5, lines: [], samples: [] })).toEqual({
    events: [{ name: 'base restored', atMs: 5 }],
    samples: [],
  })
})

test('what clients say in the log is not taken for the recovery', () => {
  const lines = [line(1, 'client backend ERROR:  consistent recovery state reached at 0/1'), line(2, 'x')]
  expect(courseOf({ startedAtMs: 0, lines, samples: [] }).events).toHaveLength(1)
})

test('progress is in the order of time, from both log and looks', () => {
  expect(progressOf(recovery(18), samples).map(({ atMs }) => atMs)).toEqual([
    1_110, 1_150, 1_200, 2_200, 11_110, 12_110, 12_200,
  ])
})

test('a rate is never negative nor infinite, and the share of fetching is one, wherever the looks fell', () => {
  const look = fc.record({
    atMs: fc.integer({ min: 0, max: 15_000 }),
    replayLsn: fc.option(fc.bigInt({ min: 0n, max: 1n << 40n }).map(Lsn.fromBytes), { nil: undefined }),
    pauseState: fc.option(fc.constantFrom('not paused', 'paused'), { nil: undefined }),
    waitEvent: fc.option(fc.constantFrom('RestoreCommand', 'RecoveryPause'), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(look), fc.subarray(recovery(18)), (looks, lines) => {
      const sorted = looks.toSorted((a, b) => a.atMs - b.atMs) as RecoverySample[]
      const { replay } = courseOf({ startedAtMs: 0, lines, samples: sorted })
      if (!replay) return
      expect(replay.bytes).toBeGreaterThanOrEqual(0)
      expect(replay.seconds).toBeGreaterThanOrEqual(0)
      expect(Number.isFinite(replay.bytesPerSecond)).toBe(true)
      expect(replay.fetchShare ?? 0).toBeGreaterThanOrEqual(0)
      expect(replay.fetchShare ?? 1).toBeLessThanOrEqual(1)
    }),
  )
})

test('the evidence has times since the restored base, and not all of many samples, the last among them', () => {
  const many = Array.from(
    { length: 1_000 },
    (_, index): RecoverySample => ({ atMs: 1_000 + index, replayLsn: lsn('0/1') }),
  )
  const told = describeCourse(courseOf({ startedAtMs: 1_000, lines: recovery(18), samples: many }))
  expect(told.recovery).toContain('consistent after 0.15 s')
  const shown = told.samples as { seconds: number; replayLsn: string }[]
  expect(shown.length).toBeLessThan(70)
  expect(shown.at(-1)).toEqual({ seconds: 0.999, replayLsn: '0/1' })
  expect(JSON.parse(JSON.stringify(told))).toEqual(told)
})
