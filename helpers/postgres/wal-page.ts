import { Lsn } from './lsn.ts'

/** What the long header says that every segment begins with. */
export interface SegmentHeader {
  /** Of the version that wrote it. */
  magic: number
  timeline: number
  /** Where the segment begins. A recycled one still says where it began before. */
  address: Lsn
  /** In decimal. */
  systemIdentifier: string
  segmentSizeBytes: number
}

export const SEGMENT_HEADER_BYTES = 40
const IS_LONG = 0x0002

/**
 * Reads the header of a segment's first page, of which PostgreSQL writes the integers as the machine has them: little-endian.
 * @returns none for what is no such header: zeros, something short, a header of another page.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` (`XLogLongPageHeaderData`)
 */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || (bytes.readUInt16LE(2) & IS_LONG) === 0) return undefined
  return {
    magic: bytes.readUInt16LE(0),
    timeline: bytes.readUInt32LE(4),
    address: Lsn.fromBytes(bytes.readBigUInt64LE(8)),
    systemIdentifier: bytes.readBigUInt64LE(24).toString(),
    segmentSizeBytes: bytes.readUInt32LE(32),
  }
}
