import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { readSegmentHeader, type SegmentHeader } from './wal-page.ts'

function write({ magic, timeline, address, systemIdentifier, segmentSizeBytes }: SegmentHeader, flags: number): Buffer {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt16LE(magic, 0)
  bytes.writeUInt16LE(flags, 2)
  bytes.writeUInt32LE(timeline, 4)
  bytes.writeBigUInt64LE(address.bytes, 8)
  bytes.writeBigUInt64LE(BigInt(systemIdentifier), 24)
  bytes.writeUInt32LE(segmentSizeBytes, 32)
  return bytes
}

describe('the header of a segment', () => {
  test('says what was written into it', () => {
    const header = fc.record({
      magic: fc.integer({ min: 0, max: 0xffff }),
      timeline: fc.integer({ min: 1, max: 0xffff_ffff }),
      address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(Lsn.fromBytes),
      systemIdentifier: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      segmentSizeBytes: fc.integer({ min: 20, max: 30 }).map(bits => 2 ** bits),
    })
    fc.assert(
      fc.property(header, one => {
        expect(readSegmentHeader(write(one, 0x0002))).toEqual(one)
      }),
    )
  })

  test('is none in what is too short, in zeros, and in the header of a later page', () => {
    const page = { magic: 0xd118, timeline: 1, address: Lsn.zero, systemIdentifier: '1', segmentSizeBytes: 2 ** 24 }
    expect([
      readSegmentHeader(write(page, 0x0002).subarray(0, 39)),
      readSegmentHeader(Buffer.alloc(8192)),
      readSegmentHeader(write(page, 0x0001)),
    ]).toEqual([undefined, undefined, undefined])
  })
})
