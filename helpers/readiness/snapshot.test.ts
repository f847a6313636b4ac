import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ArchiveListing } from '../archive/listing.ts'
import { Lsn } from '../postgres/lsn.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import { coverage, lagOf } from './snapshot.ts'

const progress = (insertLsn: Lsn, lastArchivedSecondsAgo?: number) => ({
  segmentSizeBytes: SIZE,
  timeline: 1,
  insertLsn,
  currentLsn: insertLsn,
  lastArchived: undefined,
  lastArchivedSecondsAgo,
})
const upTo = (number: number) =>
  ArchiveListing.of([{ path: new WalSegment(1, BigInt(number), SIZE).name, sizeBytes: SIZE }], SIZE)
const covers = (lsn: string, listing: ArchiveListing, secondsAgo?: number) => {
  const insertLsn = Lsn.parse(lsn)
  return coverage({ insertLsn, timeline: 1, lag: lagOf(progress(insertLsn, secondsAgo), listing) })
}

describe('the coverage of a snapshot by the archive', () => {
  it.each(['0/5000000', '0/6000000', '0/6000028'])('is whole for %s when segment 5 is archived', lsn => {
    expect(covers(lsn, upTo(5))).toEqual({ covered: true, sentence: `the archive covers ${lsn}` })
  })

  it('states the lag in segments, bytes and seconds', () => {
    expect(covers('0/6000060', upTo(5), 12.34)).toEqual({
      covered: false,
      sentence: '0/6000060 is 1 segment (96 bytes) past the archive; the archiver last stored something 12.3 s before',
    })
    expect(covers('0/8000000', upTo(5)).sentence).toBe(
      '0/8000000 is 2 segments (33554432 bytes) past the archive; the archiver has stored nothing yet',
    )
  })

  it('tells an archive with nothing of the timeline in it from one that lags', () => {
    expect(covers('0/6000060', ArchiveListing.of([], SIZE))).toEqual({
      covered: false,
      sentence: 'nothing of timeline 1 is archived, and the server is at 0/6000060',
    })
  })

  it('is whole, or as many segments short as it takes to reach the LSN', () => {
    fc.assert(
      fc.property(fc.bigInt(BigInt(SIZE), BigInt(SIZE) * 100n), fc.integer({ min: 1, max: 100 }), (bytes, newest) => {
        const insertLsn = Lsn.fromBytes(bytes)
        const lag = lagOf(progress(insertLsn), upTo(newest))
        const reached = upTo(newest + (lag?.segments ?? 0))
        expect(lagOf(progress(insertLsn), reached)).toEqual({ segments: 0, bytes: 0 })
        if (lag && lag.segments > 0)
          expect(lagOf(progress(insertLsn), upTo(newest + lag.segments - 1))?.segments).toBe(1)
      }),
    )
  })
})
