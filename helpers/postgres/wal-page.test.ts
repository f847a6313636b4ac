import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { beforePageHeader, readSegmentHeader, type SegmentHeader } from './wal-page.ts'

function write(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt16LE(header.magic, 0)
  bytes.writeUInt16LE(header.flags, 2)
  bytes.writeUInt32LE(header.timeline, 4)
  bytes.writeBigUInt64LE(header.address.bytes, 8)
  bytes.writeUInt32LE(header.remainingBytes, 16)
  bytes.writeBigUInt64LE(BigInt(header.systemIdentifier), 24)
  bytes.writeUInt32LE(header.segmentSizeBytes, 32)
  bytes.writeUInt32LE(header.pageSizeBytes, 36)
  return bytes
}

const header: SegmentHeader = {
  magic: 0xd118,
  flags: 0x2,
  timeline: 1,
  address: Lsn.zero,
  remainingBytes: 0,
  systemIdentifier: '1',
  segmentSizeBytes: 2 ** 24,
  pageSizeBytes: 8192,
}

describe('where the record before an LSN ends', () => {
  test.each([
    ['0/34000028', '0/34000000', 'behind the header of a segment'],
    ['0/34000010', '0/34000000', 'within it'],
    ['0/34000000', '0/34000000', 'the end of a segment'],
    ['0/34000029', '0/34000029', 'a byte further'],
    ['0/34002018', '0/34002000', 'behind the header of a page'],
    ['0/34002019', '0/34002019', 'a byte further'],
    ['1/18', '1/0', 'behind 4 GiB'],
    ['0/0', '0/0', 'the beginning'],
  ])('of %s it is %s: %s', (lsn, end) => {
    expect(String(beforePageHeader(Lsn.parse(lsn), 2 ** 24))).toBe(end)
  })
})

describe('the header of a segment', () => {
  test('says what was written into it', () => {
    const headers = fc.record({
      magic: fc.integer({ min: 0, max: 0xffff }),
      flags: fc.integer({ min: 0, max: 0xffff }).map(flags => flags | 0x2),
      timeline: fc.integer({ min: 1, max: 0xffff_ffff }),
      address: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(Lsn.fromBytes),
      remainingBytes: fc.integer({ min: 0, max: 0xffff_ffff }),
      systemIdentifier: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
      segmentSizeBytes: fc.integer({ min: 20, max: 30 }).map(bits => 2 ** bits),
      pageSizeBytes: fc.integer({ min: 10, max: 16 }).map(bits => 2 ** bits),
    })
    fc.assert(
      fc.property(headers, one => {
        expect(readSegmentHeader(write(one))).toEqual(one)
      }),
    )
  })

  test('is none in what is too short, in zeros, and in the header of a later page', () => {
    expect([
      readSegmentHeader(write(header).subarray(0, 39)),
      readSegmentHeader(Buffer.alloc(8192)),
      readSegmentHeader(write({ ...header, flags: 0x1 })),
    ]).toEqual([undefined, undefined, undefined])
  })
})
