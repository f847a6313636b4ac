import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ArchivingSample } from '../archive/archiving-sample.ts'
import { ArchiveListing } from '../archive/listing.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import { forgottenSegments } from './forgotten-segments.ts'

const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)

function look({ current, ready, stored }: Record<'ready' | 'stored', readonly number[]> & { current: number }) {
  return {
    progress: { currentLsn: segment(current).start, timeline: 1, segmentSizeBytes: SIZE },
    ready: ready.map(number => ({ segment: segment(number), secondsAgo: 0 })),
    listing: ArchiveListing.of(
      stored.map(number => ({ path: segment(number).name, sizeBytes: SIZE })),
      SIZE,
    ),
  } as unknown as ArchivingSample
}

const told = (seen: Parameters<typeof look>[0]) => forgottenSegments(look(seen)).map(String)

test('what is neither stored nor marked is named, but for the segment that is being written', () => {
  expect(told({ current: 8, stored: [1, 2], ready: [5] })).toEqual([
    `${segment(3)}..${segment(4)} (2)`,
    `${segment(6)}..${segment(7)} (2)`,
  ])
  expect(told({ current: 3, stored: [1, 2], ready: [] })).toEqual([])
  expect(told({ current: 8, stored: [], ready: [] })).toEqual([])
})

test('nothing is forgotten while the archiver stores one after the other, whenever each of the three is read', () => {
  const step = fc.nat(3)
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 9 }), step, step, step, (current, more, storedBefore, storedSince) => {
      const all = Array.from({ length: current + more }, (_, index) => index)
      const unmarked = Math.min(1 + storedBefore, all.length)
      expect(
        told({
          current,
          ready: all.slice(unmarked),
          stored: all.slice(0, Math.min(unmarked + storedSince, all.length)),
        }),
      ).toEqual([])
    }),
  )
})
