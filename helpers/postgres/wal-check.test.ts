import { describe, expect, test } from 'vitest'
import { findHeadDamage } from './wal-check.ts'
import { WalModel } from './wal-model.ts'
import { SEGMENT_HEADER_BYTES } from './wal-page.ts'
import { WalSegment } from './wal-segment.ts'

const model = new WalModel({ firstSegment: 4n, timeline: 3 })
model.append({ data: Buffer.alloc(2_000_000), xid: 5, resourceManager: 10, info: 0 })
const { systemIdentifier, segmentSizeBytes: sizeBytes } = model
/** In the middle of a record: it begins with the remainder of one, and so does the one behind it. */
const [, segment = new WalSegment(1, 1n, sizeBytes)] = model.segments

/** Of the segment's first bytes, with some of them changed. */
function headOf(change?: (head: Buffer) => void): Buffer {
  const head = model.contents()[1]?.bytes.subarray(0, SEGMENT_HEADER_BYTES) ?? Buffer.alloc(0)
  change?.(head)
  return head
}

describe('the beginning of a segment', () => {
  test.each([
    ['15', 0xd110],
    ['16', 0xd113],
    ['17', 0xd116],
    ['18', 0xd118],
  ])('of PostgreSQL %s is what its name says', (_, magic) => {
    const head = headOf(bytes => bytes.writeUInt16LE(magic, 0))
    expect(findHeadDamage({ segment, sizeBytes, head }, systemIdentifier)).toBeUndefined()
  })

  test('may be of an older timeline: a new one begins as a copy of its parent’s segment', () => {
    const head = headOf(bytes => bytes.writeUInt32LE(2, 4))
    expect(findHeadDamage({ segment, sizeBytes, head }, systemIdentifier)).toBeUndefined()
  })

  test.each<[what: string, kind: string, change: (head: Buffer) => void, says: string]>([
    ['zeros', 'zeros', head => head.fill(0), 'the page is not written: it is zeros'],
    [
      'anything else',
      'unknown-magic',
      head => head.fill('gzip'),
      'the page begins with 7a67, which is no WAL of PostgreSQL 15 to 18',
    ],
    [
      'a version to come',
      'unknown-magic',
      head => head.writeUInt16LE(0xd11a),
      'the page begins with d11a, which is no WAL of PostgreSQL 15 to 18',
    ],
    ['a later page', 'wrong-flags', head => head.writeUInt16LE(0x1, 2), 'the page has the flags 1'],
    ['no known flags', 'wrong-flags', head => head.writeUInt16LE(0x13, 2), 'the page has the flags 13'],
    ['a remainder that is given up', 'wrong-flags', head => head.writeUInt16LE(0xb, 2), 'the page has the flags b'],
    ['a remainder of nothing', 'wrong-flags', head => head.writeUInt32LE(0, 16), 'the page has the flags 7'],
    [
      'another cluster',
      'other-cluster',
      head => head.writeBigUInt64LE(7n, 24),
      `the segment is of the cluster 7, not of ${systemIdentifier}`,
    ],
    [
      'segments of another size',
      'other-segment-size',
      head => head.writeUInt32LE(2 ** 24, 32),
      'the segment is one of 16777216 bytes, not of 1048576',
    ],
    [
      'pages of another size',
      'other-page-size',
      head => head.writeUInt32LE(16384, 36),
      'the segment has pages of 16384 bytes, not of 8192',
    ],
    [
      'another segment',
      'other-position',
      head => head.writeBigUInt64LE(0x300000n, 8),
      'the page is that of 0/300000, of segment 000000030000000000000003',
    ],
    [
      'a later timeline',
      'other-timeline',
      head => head.writeUInt32LE(4, 4),
      'the page is of timeline 4, which comes after the segment’s',
    ],
    ['no timeline', 'other-timeline', head => head.writeUInt32LE(0, 4), 'the page is of timeline 0, which is none'],
  ])('that is of %s is %s', (_, kind, change, says) => {
    expect(findHeadDamage({ segment, sizeBytes, head: headOf(change) }, systemIdentifier)).toMatchObject({
      kind,
      segment,
      lsn: segment.start,
      message: `in 000000030000000000000005 at 0/500000, ${says}`,
    })
  })

  test.each([
    ['cut off', sizeBytes - 1, '0/5FFFFF', 'the file is cut off: it has 1048575 bytes, not 1048576'],
    ['empty', 0, '0/500000', 'the file is cut off: it has 0 bytes, not 1048576'],
    ['too long', sizeBytes + 1, '0/600000', 'the file is too long: it has 1048577 bytes, not 1048576'],
  ])('is not all: the file is %s', (_, size, lsn, says) => {
    const damage = findHeadDamage({ segment, sizeBytes: size, head: headOf().subarray(0, size) }, systemIdentifier)
    expect(damage).toMatchObject({ kind: 'wrong-size', message: `in ${segment} at ${lsn}, ${says}` })
  })

  test('is not told from too little of it', () => {
    expect(() => findHeadDamage({ segment, sizeBytes, head: headOf().subarray(0, 39) }, systemIdentifier)).toThrow(
      RangeError,
    )
  })
})
