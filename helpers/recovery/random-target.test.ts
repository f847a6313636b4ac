import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import type { LedgerCommit } from '../workload/ledger.ts'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import { type DrawnMoment, describeDrawn, drawMoments, type TargetRange, targetOf } from './random-target.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const counts = fc.integer({ min: 1, max: 60 })

describe('the draw', () => {
  test('is the same for the same seed, and its beginning whatever the count', () => {
    fc.assert(
      fc.property(seeds, counts, counts, (seed, a, b) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)]
        expect(drawMoments(seed, many).slice(0, few)).toEqual(drawMoments(seed, few))
      }),
    )
  })

  test('is another for another seed', () => {
    fc.assert(
      fc.property(seeds, seeds, (a, b) => {
        fc.pre(a !== b)
        expect(drawMoments(a, 6)).not.toEqual(drawMoments(b, 6))
      }),
    )
  })

  test('has as many as were asked for, numbered, and every kind in each six', () => {
    fc.assert(
      fc.property(seeds, counts, (seed, count) => {
        const drawn = drawMoments(seed, count)
        expect(drawn.map(({ number }) => number)).toEqual(Array.from({ length: count }, (_, index) => index + 1))
        for (let first = 0; first + 6 <= count; first += 6) {
          const kinds = drawn.slice(first, first + 6).map(({ kind, inclusive }) => `${kind} ${inclusive}`)
          expect(new Set(kinds).size).toBe(6)
        }
      }),
    )
  })

  test('is told so that two kinds of moment are never told alike', () => {
    const drawn = drawMoments(7, 600)
    const kindOf = ({ kind, inclusive, place, aborted }: DrawnMoment) => {
      const goesByTransaction = kind === 'xid' || place !== 'anywhere'
      return JSON.stringify([kind, inclusive, kind === 'xid' || place, goesByTransaction && aborted])
    }
    const told = new Map(drawn.map(moment => [describeDrawn(moment).replace(/[\d.]+ %/, '%'), kindOf(moment)]))
    expect(new Set(told.values()).size).toBe(told.size)
    expect(new Set(drawn.map(kindOf)).size).toBe(told.size)
  })
})

/** Time goes with WAL, a microsecond a byte, from an hour that is none of the clock's. */
function timeAt(position: number): string {
  return `2026-11-24 ${12 + Math.floor(position / 2 ** 32)}:00:00.${String(position % 1_000_000).padStart(6, '0')}+00`
}

const ranges = fc
  .uniqueArray(fc.integer({ min: 0, max: 999_999 }), { minLength: 6, maxLength: 40, size: 'max' })
  .map((positions): TargetRange => {
    const sorted = positions.sort((a, b) => a - b)
    const at = (position: number) => ({ lsn: Lsn.fromBytes(BigInt(position)), time: timeAt(position) })
    const inner = sorted.slice(1, -1)
    const transactions = inner.slice(1).map((after, index): LedgerCommit => {
      const before = inner[index] ?? 0
      return {
        key: `${index}`,
        actor: 'writer',
        xid: `${700 + index}`,
        inserted: [],
        before: at(before).lsn,
        atBefore: at(before).time,
        after: at(after).lsn,
        at: at(after).time,
      }
    })
    return {
      from: at(sorted[0] ?? 0),
      to: at(sorted.at(-1) ?? 0),
      lsns: inner.map(position => at(position).lsn),
      committed: transactions.filter((_, index) => index % 2 === 0),
      aborted: transactions.filter((_, index) => index % 2 === 1),
    }
  })

describe('the target of a drawn moment', () => {
  test('lies between the two reads, or is a transaction between them', () => {
    fc.assert(
      fc.property(seeds, counts, ranges, (seed, count, range) => {
        for (const drawn of drawMoments(seed, count)) {
          const target = targetOf(drawn, range)
          expect(target).toMatchObject({ kind: drawn.kind, inclusive: drawn.inclusive })
          if (target.kind === 'lsn') {
            expect(range.from.lsn.isAtOrBefore(target.lsn) && target.lsn.isAtOrBefore(range.to.lsn)).toBe(true)
            if (drawn.place === 'anywhere') expect(range.lsns).toContain(target.lsn)
          } else if (target.kind === 'time') {
            const [from, time, to] = [range.from.time, target.time, range.to.time].map(serverTimeMicroseconds)
            expect((from ?? 0n) <= (time ?? 0n) && (time ?? 0n) <= (to ?? 0n), target.time).toBe(true)
          } else if (target.kind === 'xid') {
            const those = drawn.aborted ? range.aborted : range.committed
            expect(those.map(({ xid }) => xid)).toContain(target.xid)
          }
        }
      }),
    )
  })

  test('cannot be found where no transaction has ended', () => {
    const nothing = { lsns: [], from: { lsn: Lsn.zero, time: timeAt(0) }, to: { lsn: Lsn.zero, time: timeAt(1) } }
    const [drawn] = drawMoments(1, 1)
    expect(() => drawn && targetOf(drawn, { ...nothing, committed: [], aborted: [] })).toThrow(RangeError)
  })
})
