import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ArchiveListing } from '../archive/listing.ts'
import { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { findRequiredWal } from './wal-ranges.ts'

const SIZE = 1024 * 1024
const MODEL_STEP = SIZE / 4
const ranges = fc
  .record({ timeline: fc.integer({ min: 1, max: 2 }), from: fc.nat(80), length: fc.integer({ min: 1, max: 40 }) })
  .map(({ timeline, from, length }) => ({
    timeline,
    startLsn: Lsn.fromBytes(BigInt(from * MODEL_STEP)),
    endLsn: Lsn.fromBytes(BigInt((from + length) * MODEL_STEP)),
  }))

test('every byte of a range lies in a required segment, none of which is without one, and those not listed are missing', () => {
  fc.assert(
    fc.property(fc.array(ranges, { maxLength: 3 }), fc.uniqueArray(fc.nat(30)), (walRanges, numbers) => {
      const listed = numbers.map(number => new WalSegment(1 + (number % 2), BigInt(number >> 1), SIZE).name)
      const listing = ArchiveListing.of(
        listed.map(path => ({ path, sizeBytes: SIZE })),
        SIZE,
      )
      const model = new Set<string>()
      for (const { timeline, startLsn, endLsn } of walRanges)
        for (let at = startLsn; at.isBefore(endLsn); at = at.plus(BigInt(MODEL_STEP)))
          model.add(WalSegment.containing(at, timeline, SIZE).name)
      const { required, missing } = findRequiredWal({ walRanges }, listing)
      expect(new Set(required.map(({ name }) => name))).toEqual(model)
      expect(missing.map(({ name }) => name).sort()).toEqual([...model].filter(name => !listed.includes(name)).sort())
    }),
  )
})
