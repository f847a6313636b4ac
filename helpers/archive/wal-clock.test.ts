import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { WalClock } from './wal-clock.ts'

const SIZE = 1024 * 1024
const endOf = (segment: number) => Lsn.fromBytes(BigInt((segment + 1) * SIZE))
/** At `second`, the server stood so many bytes within that segment. */
const look = (second: number, segment: number, bytes: number, timeline = 1) => ({
  timeline,
  insertLsn: Lsn.fromBytes(BigInt(segment * SIZE + bytes)),
  readAt: { from: `${second}.1`, until: `${second}.2` },
  segmentSizeBytes: SIZE,
})
function clockOf(...looks: ReturnType<typeof look>[]): WalClock {
  const clock = new WalClock()
  for (const one of looks) clock.note(one)
  return clock
}

describe('the clock of a WAL', () => {
  it('says between which two looks the server passed a place', () => {
    const clock = clockOf(look(1, 5, 100), look(2, 5, 200), look(3, 6, 100), look(4, 8, 100))
    expect(clock.passageOf(endOf(5), 1)).toEqual({ after: '2.1', before: '3.2' })
    expect(clock.passageOf(endOf(6), 1)).toEqual({ after: '3.1', before: '4.2' })
  })

  it('says nothing of what no look has shown', () => {
    const clock = clockOf(look(1, 5, 100), look(2, 6, 100))
    expect(clock.passageOf(endOf(3), 1)).toEqual({ before: '1.2' })
    expect(clock.passageOf(endOf(6), 1)).toEqual({ after: '2.1' })
    expect(new WalClock().passageOf(endOf(6), 1)).toEqual({})
  })

  it('takes a look at the very place for both', () => {
    expect(clockOf(look(1, 6, 0)).passageOf(endOf(5), 1)).toEqual({ after: '1.1', before: '1.2' })
  })

  it('forgets a server in whose place stands one that has come less far', () => {
    expect(clockOf(look(1, 5, 100), look(2, 4, 100)).passageOf(endOf(4), 1)).toEqual({ after: '2.1' })
    expect(clockOf(look(1, 5, 100), look(2, 9, 100), look(3, 7, 100)).passageOf(endOf(5), 1)).toEqual({ before: '3.2' })
  })

  it('knows nothing of another timeline than the server is on', () => {
    const clock = clockOf(look(1, 5, 100), look(2, 7, 100, 2))
    expect(clock.passageOf(endOf(5), 1)).toEqual({})
    expect(clock.passageOf(endOf(5), 2)).toEqual({ before: '2.2' })
  })

  it('says of every segment what all looks together say', () => {
    const steps = fc.array(fc.integer({ min: 0, max: (3 * SIZE) / 2 }), { maxLength: 30 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 30 }), (steps, segment) => {
        let bytes = 0
        const looks = steps.map((step, second) => {
          bytes += step
          return look(second, 0, bytes)
        })
        const end = endOf(segment)
        const after = looks.filter(one => one.insertLsn.isAtOrBefore(end)).at(-1)?.readAt.from
        const before = looks.filter(one => end.isAtOrBefore(one.insertLsn)).at(0)?.readAt.until
        expect(clockOf(...looks).passageOf(end, 1)).toEqual({
          ...(after === undefined ? {} : { after }),
          ...(before === undefined ? {} : { before }),
        })
      }),
    )
  })
})
