import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import { ArchiveListing } from './listing.ts'

const whole = (path: string) => ({ path, sizeBytes: SIZE })
const segment = (number: number, timeline = 1) => new WalSegment(timeline, BigInt(number), SIZE)

describe('the listing of a WAL archive', () => {
  it('tells every kind of file apart and prints segments as ranges', () => {
    const listing = ArchiveListing.of(
      [
        whole('000000020000000000000005'),
        whole('000000010000000000000005'),
        whole('0000000100000000000000FF'),
        whole('000000010000000100000000'),
        whole('000000010000000000000004'),
        whole('000000010000000000000003'),
        { path: '000000010000000000000007', sizeBytes: 12 },
        { path: '000000010000000000000003.00000028.backup', sizeBytes: 300 },
        { path: '00000002.history', sizeBytes: 40 },
        whole('000000010000000000000006.partial'),
        { path: '.000000010000000000000008', sizeBytes: 1 },
      ],
      SIZE,
    )
    expect(listing.summary()).toEqual({
      segments: [
        '000000010000000000000003..000000010000000000000005 (3)',
        '0000000100000000000000FF..000000010000000100000000 (2)',
        '000000020000000000000005',
      ],
      wrongSized: ['000000010000000000000007 (12 bytes)'],
      histories: [2],
      backups: ['0/3000028'],
      partials: ['000000010000000000000006'],
      foreign: ['.000000010000000000000008'],
    })
    expect(listing.newest(1)?.name).toBe('000000010000000100000000')
    expect(listing.newest(3)).toBeUndefined()
  })

  it('takes a compressed segment for whole whatever its size, unless it is empty', () => {
    const listing = ArchiveListing.of(
      [
        { path: '000000010000000000000003.gz', sizeBytes: 20_000 },
        { path: '000000010000000000000004.zst', sizeBytes: SIZE + 100 },
        { path: '000000010000000000000005.gz', sizeBytes: 0 },
        { path: '000000010000000000000003.00000028.backup.gz', sizeBytes: 200 },
        { path: '00000002.history.zst', sizeBytes: 60 },
        { path: '000000010000000000000006.partial.gz', sizeBytes: 20_000 },
      ],
      SIZE,
    )
    expect(listing.summary()).toEqual({
      segments: ['000000010000000000000003..000000010000000000000004 (2)'],
      wrongSized: ['000000010000000000000005 (0 bytes)'],
      histories: [2],
      backups: ['0/3000028'],
      partials: ['000000010000000000000006'],
      foreign: [],
    })
  })

  it('lists a segment once, and by its plain file where there is one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ending: fc.constantFrom('', '.gz', '.zst'), sizeBytes: fc.constantFrom(0, 100, SIZE) })),
        found => {
          const files = new Map(found.map(({ ending, sizeBytes }) => [`${segment(3)}${ending}`, sizeBytes]))
          const listing = ArchiveListing.of(
            [...files].map(([path, sizeBytes]) => ({ path, sizeBytes })),
            SIZE,
          )
          const plain = files.get(segment(3).name)
          const isWhole = plain === undefined ? [...files.values()].some(size => size > 0) : plain === SIZE
          expect(listing.segments.get(1)?.length ?? 0).toBe(isWhole ? 1 : 0)
          expect(listing.wrongSized.length).toBe(!isWhole && files.size > 0 ? 1 : 0)
        },
      ),
    )
  })

  it('of an empty archive says so', () => {
    expect(String(ArchiveListing.of([], SIZE))).toBe('no segment')
  })

  it('has ranges that hold exactly the segments listed, in whatever order, with a gap between each two', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), numbers => {
        const ranges = ArchiveListing.of(
          numbers.map(number => whole(segment(number).name)),
          SIZE,
        ).ranges(1)
        const held = ranges.flatMap(range =>
          Array.from({ length: range.count }, (_, index) => Number(range.first.number) + index),
        )
        expect(held).toEqual([...numbers].sort((a, b) => a - b))
        for (const [index, range] of ranges.entries()) {
          const next = ranges[index + 1]
          if (next) expect(next.first.number > range.last.number + 1n).toBe(true)
          expect(range.includes(range.last.next)).toBe(false)
          expect(range.includes(range.first.onTimeline(2))).toBe(false)
        }
      }),
    )
  })
})
