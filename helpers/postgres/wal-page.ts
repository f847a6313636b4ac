import { Lsn } from './lsn.ts'
import { WalDamage, type WalDamageKind } from './wal-damage.ts'
import { WalSegment } from './wal-segment.ts'

/** Unless PostgreSQL was built with `--with-wal-blocksize`, of which nothing here knows. */
export const PAGE_BYTES = 8192
const PAGE_HEADER_BYTES = 24
export const SEGMENT_HEADER_BYTES = 40

/**
 * Where the record before `lsn` ends. Of an LSN within the header of a page, or right behind it, that is where the page begins: what
 * PostgreSQL gives as the place of the next record lies behind the header, and what it has replayed ends before it.
 * @see PostgreSQL source, `XLogBytePosToRecPtr` and `XLogBytePosToEndRecPtr` in `src/backend/access/transam/xlog.c`
 */
export function beforePageHeader(lsn: Lsn, segmentSizeBytes: number): Lsn {
  const inSegment = lsn.bytes % BigInt(segmentSizeBytes)
  const inPage = inSegment % BigInt(PAGE_BYTES)
  const header = inSegment < PAGE_BYTES ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES
  return inPage <= header ? lsn.plus(-inPage) : lsn
}

/** What every page of WAL begins with. */
export interface PageHeader {
  /** Of the version that wrote it. */
  magic: number
  flags: number
  /** That was being written when the page was begun, see `findPageDamage`. */
  timeline: number
  /** Where the page lies in the log. That of a recycled segment still says where it lay before. */
  address: Lsn
  /** How much of a record that begins before this page is still to come, of all pages together. */
  remainingBytes: number
}

/** What the long header says besides that every segment begins with. */
export interface SegmentHeader extends PageHeader {
  /** In decimal. */
  systemIdentifier: string
  segmentSizeBytes: number
  pageSizeBytes: number
}

/** Flags of a page. `removableImages` is for programs that compress an archive; to a reader it says nothing. */
export const PAGE_FLAGS = { isContinuation: 0x1, isLong: 0x2, removableImages: 0x4, isOverwrite: 0x8 } as const
const ALL_FLAGS = 0xf

/**
 * `XLOG_PAGE_MAGIC` in `src/include/access/xlog_internal.h` of the branches REL_15_STABLE to REL_18_STABLE. It stays the same
 * within a major.
 */
const MAJOR_OF_MAGIC: ReadonlyMap<number, number> = new Map([
  [0xd110, 15],
  [0xd113, 16],
  [0xd116, 17],
  [0xd118, 18],
])

/**
 * Reads the header of the page at `at`, of which PostgreSQL writes the integers as the machine has them: little-endian.
 * @throws {RangeError} when `bytes` ends before the header does.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` (`XLogPageHeaderData`)
 */
export function readPageHeader(bytes: Buffer, at: number): PageHeader {
  return {
    magic: bytes.readUInt16LE(at),
    flags: bytes.readUInt16LE(at + 2),
    timeline: bytes.readUInt32LE(at + 4),
    address: Lsn.fromBytes(bytes.readBigUInt64LE(at + 8)),
    remainingBytes: bytes.readUInt32LE(at + 16),
  }
}

/** How long that header is, with what it is padded with. */
export function pageHeaderBytes({ flags }: PageHeader): number {
  return flags & PAGE_FLAGS.isLong ? SEGMENT_HEADER_BYTES : PAGE_HEADER_BYTES
}

/**
 * Reads the header of a segment's first page.
 * @returns none for what is no such header: zeros, something short, a header of another page.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` (`XLogLongPageHeaderData`)
 */
export function readSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined
  const header = readLongHeader(bytes)
  return header.flags & PAGE_FLAGS.isLong ? header : undefined
}

function readLongHeader(bytes: Buffer): SegmentHeader {
  return {
    ...readPageHeader(bytes, 0),
    systemIdentifier: bytes.readBigUInt64LE(24).toString(),
    segmentSizeBytes: bytes.readUInt32LE(32),
    pageSizeBytes: bytes.readUInt32LE(36),
  }
}

/** What is wrong with the size of a segment's file. A short one is damaged from where it is cut off. */
export function findSizeDamage(segment: WalSegment, sizeBytes: number): WalDamage | undefined {
  if (sizeBytes === segment.sizeBytes) return undefined
  const what = `the file is ${sizeBytes < segment.sizeBytes ? 'cut off' : 'too long'}: it has ${sizeBytes} bytes, not ${segment.sizeBytes}`
  return new WalDamage('wrong-size', segment, segment.start.plus(BigInt(Math.min(sizeBytes, segment.sizeBytes))), what)
}

/**
 * What is wrong with the header of the page at `at` of a segment, in itself and for its place. A page's timeline may be an
 * older one than the segment's: the first segment of a new timeline begins as a copy of the old one's up to where that
 * was left, page headers included, and the page in which that lies is written on under its old header.
 * @throws {RangeError} when `bytes` ends before the header does.
 * @see PostgreSQL source, `XLogReaderValidatePageHeader` in `xlogreader.c`; `XLogInitNewTimeline` and `StartupXLOG` in `xlog.c`
 */
export function findPageDamage(
  bytes: Buffer,
  at: number,
  segment: WalSegment,
  systemIdentifier: string,
): WalDamage | undefined {
  const header = readPageHeader(bytes, at)
  const lsn = segment.start.plus(BigInt(at))
  const damage = (kind: WalDamageKind, what: string) => new WalDamage(kind, segment, lsn, what)
  if (isUnwritten(header)) return damage('zeros', 'the page is not written: it is zeros')
  if (!MAJOR_OF_MAGIC.has(header.magic)) {
    const majors = [...MAJOR_OF_MAGIC.values()]
    return damage(
      'unknown-magic',
      `the page begins with ${header.magic.toString(16)}, which is no WAL of PostgreSQL ${majors[0]} to ${majors.at(-1)}`,
    )
  }
  if (!hasFlagsOf(header, at)) return damage('wrong-flags', `the page has the flags ${header.flags.toString(16)}`)
  const foreign = at === 0 ? findForeign(bytes, segment, systemIdentifier) : undefined
  if (foreign) return damage(...foreign)
  if (!header.address.equals(lsn)) return damage('other-position', describePosition(header, segment))
  if (header.timeline === 0 || header.timeline > segment.timeline) {
    const why = header.timeline === 0 ? 'which is none' : 'which comes after the segment’s'
    return damage('other-timeline', `the page is of timeline ${header.timeline}, ${why}`)
  }
  return undefined
}

function isUnwritten({ magic, flags, timeline, address, remainingBytes }: PageHeader): boolean {
  return magic === 0 && flags === 0 && timeline === 0 && address.equals(Lsn.zero) && remainingBytes === 0
}

/** A record is continued or given up, not both; and the long header begins a segment, and nothing else. */
function hasFlagsOf({ flags, remainingBytes }: PageHeader, at: number): boolean {
  const isContinuation = (flags & PAGE_FLAGS.isContinuation) !== 0
  return (
    flags <= ALL_FLAGS &&
    ((flags & PAGE_FLAGS.isLong) !== 0) === (at === 0) &&
    isContinuation === remainingBytes > 0 &&
    !(isContinuation && flags & PAGE_FLAGS.isOverwrite)
  )
}

function findForeign(
  bytes: Buffer,
  segment: WalSegment,
  systemIdentifier: string,
): [kind: WalDamageKind, what: string] | undefined {
  const header = readLongHeader(bytes)
  if (header.systemIdentifier !== systemIdentifier) {
    return ['other-cluster', `the segment is of the cluster ${header.systemIdentifier}, not of ${systemIdentifier}`]
  }
  if (header.segmentSizeBytes !== segment.sizeBytes) {
    return ['other-segment-size', `the segment is one of ${header.segmentSizeBytes} bytes, not of ${segment.sizeBytes}`]
  }
  if (header.pageSizeBytes !== PAGE_BYTES) {
    return ['other-page-size', `the segment has pages of ${header.pageSizeBytes} bytes, not of ${PAGE_BYTES}`]
  }
  return undefined
}

function describePosition({ address, timeline }: PageHeader, { sizeBytes }: WalSegment): string {
  return `the page is that of ${address}, of segment ${WalSegment.containing(address, timeline, sizeBytes)}`
}
