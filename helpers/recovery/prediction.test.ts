import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Prediction } from '../evidence/evidence.ts'
import { Lsn } from '../postgres/lsn.ts'
import {
  assertPredicted,
  type MeasuredRecovery,
  measureRecovery,
  predict,
  timesLarger,
  typicalOf,
} from './prediction.ts'
import type { RecoveryCourse } from './recovery-course.ts'

const bytes = fc.integer({ min: 1, max: 2 ** 40 })
const seconds = fc.double({ min: 0, max: 1e5, noNaN: true })
const measurements: fc.Arbitrary<MeasuredRecovery> = fc
  .record(
    {
      databaseBytes: bytes,
      walBytes: bytes,
      copySeconds: seconds,
      walSeconds: seconds,
      fixedSeconds: seconds,
      fetchShare: fc.double({ min: 0, max: 1, noNaN: true }),
    },
    { requiredKeys: ['databaseBytes', 'walBytes', 'copySeconds', 'walSeconds', 'fixedSeconds'] },
  )
  .map(measured => measured as MeasuredRecovery)
const sizes = fc.record({ databaseBytes: bytes, walBytes: bytes })

/** Apart by no more than what adding in another order makes. */
function expectAlike(a: number, b: number): void {
  expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(a), Math.abs(b)))
}

describe('a prediction', () => {
  test('of the size that was measured is what was measured', () => {
    fc.assert(
      fc.property(measurements, measured => {
        const { databaseBytes, walBytes } = measured
        const { copySeconds, walSeconds, fixedSeconds } = measured
        expectAlike(predict(measured, { databaseBytes, walBytes }).seconds, copySeconds + walSeconds + fixedSeconds)
      }),
    )
  })

  test('has phases that add up to it', () => {
    fc.assert(
      fc.property(measurements, sizes, (measured, size) => {
        const { phases, seconds: total } = predict(measured, size)
        expectAlike(
          phases.reduce((sum, phase) => sum + phase.seconds, 0),
          total,
        )
      }),
    )
  })

  test('never falls as the size grows', () => {
    fc.assert(
      fc.property(measurements, sizes, sizes, (measured, one, other) => {
        const larger = {
          databaseBytes: Math.max(one.databaseBytes, other.databaseBytes),
          walBytes: Math.max(one.walBytes, other.walBytes),
        }
        const [a, b] = [predict(measured, one).seconds, predict(measured, larger).seconds]
        expect(b).toBeGreaterThanOrEqual(a * (1 - 1e-12))
      }),
    )
  })

  test('grows with size in proportion, the fixed part aside', () => {
    fc.assert(
      fc.property(measurements, sizes, fc.integer({ min: 1, max: 1_000 }), (measured, size, factor) => {
        const variable = (of: Prediction) => of.seconds - measured.fixedSeconds
        const [one, many] = [predict(measured, size), predict(measured, timesLarger(size, factor))]
        expect(Math.abs(variable(many) - factor * variable(one))).toBeLessThanOrEqual(
          1e-6 * Math.max(1, many.seconds, factor * measured.fixedSeconds),
        )
      }),
    )
  })

  test('tells fetching from replaying only where both were seen', () => {
    const measured = { databaseBytes: 1, walBytes: 1, copySeconds: 1, walSeconds: 2, fixedSeconds: 3 }
    const wal = (fetchShare: number) => {
      const { phases, assumptions } = predict({ ...measured, fetchShare }, measured)
      return [...phases.slice(1, -1).map(({ name, seconds }) => `${name} ${seconds}`), assumptions[1]?.includes('%')]
    }
    expect(wal(0.25)).toEqual(['fetch WAL 0.5', 'replay WAL 1.5', true])
    for (const share of [0, 1]) expect(wal(share)).toEqual(['fetch and replay WAL 2', false])
  })

  test('says what it rests on, and that a far one promises nothing', () => {
    const measured = { databaseBytes: 2 ** 20, walBytes: 2 ** 20, copySeconds: 1, walSeconds: 2, fixedSeconds: 3 }
    expect(predict(measured, timesLarger(measured, 10)).assumptions.join(' ')).not.toContain('not a promise')
    expect(predict(measured, timesLarger(measured, 1_000)).assumptions.at(-1)).toBe(
      'It is 1000 times larger than what was measured: an order of magnitude, not a promise.',
    )
    expect(predict(measured, measured).assumptions[0]).toContain('1.0 MiB in 1.00 s, 1 MiB/s')
  })
})

describe('a recovery taken apart', () => {
  const events: RecoveryCourse['events'] = [
    { name: 'base restored', atMs: 4_000 },
    { name: 'first WAL fetched', atMs: 5_000 },
    { name: 'target reached', atMs: 8_000 },
  ]
  const replay = { fromLsn: Lsn.zero, toLsn: Lsn.zero.plus(10n), bytes: 10, seconds: 3, bytesPerSecond: 3 }
  const rto = { seconds: 10, phases: [{ name: 'base restored', seconds: 4 }], verdict: 'no objective' as const }

  test('has a part for the copy, one for WAL, and the rest', () => {
    expect(measureRecovery({ events, replay, samples: [] }, 7, rto)).toEqual({
      databaseBytes: 7,
      walBytes: 10,
      copySeconds: 4,
      walSeconds: 3,
      fixedSeconds: 3,
    })
  })

  test.each([
    ['never came to a target', { events: events.slice(0, 2), replay }],
    ['replayed nothing', { events }],
  ])('is refused where it %s', (_, course) => {
    expect(() => measureRecovery({ ...course, samples: [] }, 7, rto)).toThrow(
      expect.objectContaining({ kind: 'not-watched' }),
    )
  })
})

test('of several measurements, one as slow as it was fast is left out', () => {
  const measured = (walSeconds: number) => ({
    databaseBytes: 1,
    walBytes: 1,
    copySeconds: 1,
    walSeconds,
    fixedSeconds: 1,
  })
  expect(typicalOf([measured(9), measured(2), measured(3)]).walSeconds).toBe(3)
  expect(typicalOf([measured(9)]).walSeconds).toBe(9)
  expect(() => typicalOf([])).toThrow(RangeError)
})

test.each([
  [10, true],
  [20, true],
  [5, true],
  [20.1, false],
  [4.9, false],
  [0, false],
  [Number.NaN, false],
])('of 10 s predicted, %d s taken: within a factor of two is %s', (taken, isRight) => {
  const prediction = {
    ...predict(
      { databaseBytes: 1, walBytes: 1, copySeconds: 5, walSeconds: 5, fixedSeconds: 0 },
      { databaseBytes: 1, walBytes: 1 },
    ),
  }
  if (isRight) expect(assertPredicted(prediction, taken)).toBeCloseTo(taken / 10, 9)
  else
    expect(() => assertPredicted(prediction, taken)).toThrow(
      expect.objectContaining({
        kind: 'prediction-off',
        message: expect.stringContaining('10.00 s that were predicted'),
      }),
    )
})
