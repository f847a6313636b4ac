import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES, WalSegment } from './wal-segment.ts'

const MIB = 1024 * 1024
/** All that initdb's `--wal-segsize` takes. */
const SIZES = Array.from({ length: 11 }, (_, power) => MIB * 2 ** power)

const size = fc.constantFrom(...SIZES)
const timeline = fc.oneof(
  fc.integer({ min: 1, max: 0xffff_ffff }),
  fc.constantFrom(1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff),
)
/** Any position, and often one within a byte of a boundary between segments or between logs. */
const lsn = fc
  .oneof(
    fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }),
    fc
      .tuple(fc.bigInt({ min: 1n, max: 1n << 40n }), fc.bigInt({ min: -1n, max: 1n }))
      .map(([count, offset]) => count * BigInt(MIB) + offset),
    fc
      .tuple(fc.bigInt({ min: 1n, max: 1n << 30n }), fc.bigInt({ min: -1n, max: 1n }))
      .map(([log, offset]) => (log << 32n) + offset),
    fc.constant(0n),
  )
  .map(Lsn.fromBytes)

/** The name by way of the LSN's text alone: its left half is the middle of the name, its right half divided is the end. */
function slowName(position: Lsn, onTimeline: number, sizeBytes: number): string {
  const [left = '', right = ''] = String(position).split('/')
  const end = Math.floor(Number.parseInt(right, 16) / sizeBytes).toString(16)
  return [onTimeline.toString(16), left, end].map(part => part.toUpperCase().padStart(8, '0')).join('')
}

describe('the segment of an LSN', () => {
  test.each([
    ['0/0', '000000010000000000000000'],
    ['0/1000000', '000000010000000000000001'],
    ['0/FFFFFFFF', '0000000100000000000000FF'],
    ['1/0', '000000010000000100000000'],
    ['16/B374D848', '0000000100000016000000B3'],
  ])('of the default size: %s is in %s', (text, name) => {
    expect(WalSegment.containing(Lsn.parse(text), 1, DEFAULT_SEGMENT_SIZE_BYTES).name).toBe(name)
  })

  test('has the name that a slow model gives it, for every size', () => {
    fc.assert(
      fc.property(lsn, timeline, size, (position, onTimeline, sizeBytes) => {
        const segment = WalSegment.containing(position, onTimeline, sizeBytes)
        expect(segment.name).toBe(slowName(position, onTimeline, sizeBytes))
        expect(String(segment)).toBe(segment.name)
        expect(JSON.stringify([segment])).toBe(`["${segment.name}"]`)
      }),
      { numRuns: 1000 },
    )
  })

  test('holds it: begins at or before it, ends after it, is as long as its size', () => {
    fc.assert(
      fc.property(lsn, timeline, size, (position, onTimeline, sizeBytes) => {
        const segment = WalSegment.containing(position, onTimeline, sizeBytes)
        expect(segment.start.isAtOrBefore(position)).toBe(true)
        expect(position.isBefore(segment.end)).toBe(true)
        expect(segment.end.minus(segment.start)).toBe(BigInt(sizeBytes))
      }),
    )
  })

  test('as the end of a range is the one with the byte before it', () => {
    fc.assert(
      fc.property(lsn, timeline, size, (position, onTimeline, sizeBytes) => {
        const before = position.bytes === 0n ? position : Lsn.fromBytes(position.bytes - 1n)
        expect(WalSegment.endingAt(position, onTimeline, sizeBytes).name).toBe(slowName(before, onTimeline, sizeBytes))
      }),
    )
    expect(WalSegment.endingAt(Lsn.parse('1/0'), 2, DEFAULT_SEGMENT_SIZE_BYTES).name).toBe('0000000200000000000000FF')
  })

  test('is followed by the one that begins where it ends, on the same timeline', () => {
    fc.assert(
      fc.property(lsn, timeline, size, (position, onTimeline, sizeBytes) => {
        const segment = WalSegment.containing(position, onTimeline, sizeBytes)
        expect(segment.next).toEqual(WalSegment.containing(segment.end, onTimeline, sizeBytes))
      }),
    )
    const lastOfLog = WalSegment.parse('0000000100000000000000FF', DEFAULT_SEGMENT_SIZE_BYTES)
    expect(lastOfLog.next.name).toBe('000000010000000100000000')
  })

  test('is elsewhere on another timeline, at the same place', () => {
    const segment = WalSegment.parse('000000010000000A00000003', DEFAULT_SEGMENT_SIZE_BYTES)
    expect(segment.onTimeline(0xffff_ffff).name).toBe('FFFFFFFF0000000A00000003')
    expect(segment.onTimeline(2).start).toEqual(segment.start)
  })
})

describe('the name of a segment', () => {
  test('is read back as the same segment, for every size', () => {
    fc.assert(
      fc.property(lsn, timeline, size, (position, onTimeline, sizeBytes) => {
        const segment = WalSegment.containing(position, onTimeline, sizeBytes)
        expect(WalSegment.parse(segment.name, sizeBytes)).toEqual(segment)
      }),
    )
  })

  test('sorts as the segments do', () => {
    fc.assert(
      fc.property(lsn, lsn, timeline, size, (a, b, onTimeline, sizeBytes) => {
        const [left, right] = [a, b].map(position => WalSegment.containing(position, onTimeline, sizeBytes))
        expect((left?.name ?? '') < (right?.name ?? '')).toBe((left?.number ?? 0n) < (right?.number ?? 0n))
      }),
    )
  })

  test.each([
    ['lower-case digits', '00000001000000000000000a'],
    ['a digit too few', '00000001000000000000000'],
    ['a digit too many', '0000000100000000000000010'],
    ['a letter that is no digit', '00000001000000000000000G'],
    ['a line break behind it', '000000010000000000000001\n'],
    ['a path before it', 'pg_wal/000000010000000000000001'],
    ['what an archive keeps beside segments', '000000010000000000000002.partial'],
    ['a backup history', '000000010000000000000002.00000028.backup'],
    ['a timeline history', '00000002.history'],
    ['timeline 0', '000000000000000000000001'],
    ['a number that this size does not reach', '000000010000000000000100'],
    ['nothing', ''],
  ])('is not %s', (_, name) => {
    expect(() => WalSegment.parse(name, DEFAULT_SEGMENT_SIZE_BYTES)).toThrow(RangeError)
  })

  test('ends with a number below what one log holds, and that depends on the size', () => {
    for (const sizeBytes of SIZES) {
      const perLog = 2 ** 32 / sizeBytes
      const name = (end: number) => `0000000100000000${end.toString(16).toUpperCase().padStart(8, '0')}`
      expect(WalSegment.parse(name(perLog - 1), sizeBytes).end).toEqual(Lsn.parse('1/0'))
      expect(() => WalSegment.parse(name(perLog), sizeBytes)).toThrow(
        `not the name of a WAL segment of ${sizeBytes} bytes`,
      )
    }
  })
})
