import type { ChecksumMemory } from './checksum-memory.ts'
import { Lsn } from './lsn.ts'
import type { WalSegment } from './wal-segment.ts'

/** What the header of a record says, and where it stands. */
export interface WalRecord {
  lsn: Lsn
  /** Where the next one begins, or the page header before it: behind what pads this one, or behind the rest of a switched segment. */
  endLsn: Lsn
  /** LSN of the record that was written before it. */
  previousLsn: Lsn
  /** Of the transaction that wrote it; 0: none. */
  xid: number
  /** Number of the resource manager that it is for. @see `src/include/access/rmgrlist.h` */
  resourceManager: number
  /** What it is: the upper four bits in the resource manager's own terms, the lower ones in the WAL's. */
  info: number
  /** Without what it is padded with. */
  lengthBytes: number
}

/** Records begin at multiples of it. */
const ALIGNMENT_BYTES = 8
export const RECORD_HEADER_BYTES = 24
/** What is kept of a record that pages break up: its header and, where it has that much, the first of its data. */
export const RECORD_BEGINNING_BYTES = 64
const XID_AT = 4
const PREVIOUS_AT = 8
const INFO_AT = 16
const RESOURCE_MANAGER_AT = 17
const CHECKSUM_AT = 20

/** `RM_XLOG_ID`, and two kinds of its records. @see PostgreSQL source, `src/include/catalog/pg_control.h` */
const XLOG = 0
const XLOG_SWITCH = 0x40
const XLOG_OVERWRITE_CONTRECORD = 0xd0
const INFO_MASK = 0xf0

/** What may stand before a record's data. @see PostgreSQL source, `src/include/access/xlogrecord.h` */
const SHORT_DATA = 255
const LONG_DATA = 254
const ORIGIN = 253
const TOP_LEVEL_XID = 252

/**
 * Where the data of a record without blocks begins, behind its origin and the transaction that it is part of, where it says them.
 * @param data the first bytes behind its header.
 * @returns nothing where it is not among them.
 */
export function mainDataAt(data: Buffer): number | undefined {
  let at = 0
  while (at < data.length) {
    const kind = data.readUInt8(at)
    if (kind === SHORT_DATA) return at + 2
    if (kind === LONG_DATA) return at + 5
    if (kind === ORIGIN) at += 3
    else if (kind === TOP_LEVEL_XID) at += 5
    else return undefined
  }
  return undefined
}

/** Up to the next place where a record may begin: `MAXALIGN`. Of less than 2 GiB, which no segment has. */
export function align(bytes: number): number {
  return (bytes + ALIGNMENT_BYTES - 1) & -ALIGNMENT_BYTES
}

/**
 * Whether the record whose header stands at `at` is as it was written.
 * @param dataChecksum CRC-32C of all that follows the header.
 * @see PostgreSQL source, `ValidXLogRecord` in `xlogreader.c`
 */
export function isAsWritten(memory: ChecksumMemory, at: number, dataChecksum: number): boolean {
  return memory.crc32c(at, at + CHECKSUM_AT, dataChecksum) === memory.words[(at + CHECKSUM_AT) >>> 2]
}

/** Whether the header at `at` says that the record before it begins at that LSN, which is given in halves. */
export function hasPrevious({ words }: ChecksumMemory, at: number, high: number, low: number): boolean {
  return words[(at + PREVIOUS_AT) >>> 2] === low && words[(at + PREVIOUS_AT + 4) >>> 2] === high
}

/** Behind such a record the rest of the segment is not used. */
export function isSwitch({ words }: ChecksumMemory, at: number): boolean {
  const word = words[(at + INFO_AT) >>> 2] as number
  return ((word >>> 8) & 0xff) === XLOG && (word & INFO_MASK) === XLOG_SWITCH
}

/** What the header at `at` says. */
export function readRecord({ bytes }: ChecksumMemory, at: number, lsn: Lsn, endLsn: Lsn): WalRecord {
  return {
    lsn,
    endLsn,
    previousLsn: Lsn.fromBytes(bytes.readBigUInt64LE(at + PREVIOUS_AT)),
    xid: bytes.readUInt32LE(at + XID_AT),
    resourceManager: bytes.readUInt8(at + RESOURCE_MANAGER_AT),
    info: bytes.readUInt8(at + INFO_AT),
    lengthBytes: bytes.readUInt32LE(at),
  }
}

/**
 * Whether what begins at `at` is the record that gives up one of which the rest was never written: that at `lsn`, or where that
 * is not known, any.
 * @see PostgreSQL source, `xl_overwrite_contrecord` in `xlog_internal.h`, `VerifyOverwriteContrecord` in `xlogrecovery.c`
 */
export function givesUp({ bytes }: ChecksumMemory, at: number, lsn: Lsn | undefined): boolean {
  return (
    bytes.readUInt8(at + RESOURCE_MANAGER_AT) === XLOG &&
    (bytes.readUInt8(at + INFO_AT) & INFO_MASK) === XLOG_OVERWRITE_CONTRECORD &&
    // Its data follows the header, and two bytes that say how long that is.
    (lsn === undefined || bytes.readBigUInt64LE(at + RECORD_HEADER_BYTES + 2) === lsn.bytes)
  )
}

/**
 * A record that pages break up, taken in piece by piece. Of its data only the beginning and the checksum are kept, so that one of
 * any length needs no memory.
 * @see PostgreSQL source, `src/include/access/xlogrecord.h` (`XLogRecord`)
 */
export class OpenRecord {
  readonly beginning = Buffer.alloc(RECORD_BEGINNING_BYTES)
  #takenBytes = 0
  #dataChecksum = 0

  constructor(
    readonly lsn: Lsn,
    /** In which it begins. */
    readonly segment: WalSegment,
    readonly lengthBytes: number,
  ) {}

  get missingBytes(): number {
    return this.lengthBytes - this.#takenBytes
  }

  get dataChecksum(): number {
    return this.#dataChecksum
  }

  take(memory: ChecksumMemory, start: number, end: number): void {
    const dataStart = Math.min(end, start + Math.max(0, RECORD_HEADER_BYTES - this.#takenBytes))
    memory.bytes.copy(this.beginning, this.#takenBytes, start, end)
    this.#dataChecksum = memory.crc32c(dataStart, end, this.#dataChecksum)
    this.#takenBytes += end - start
  }

  /** As far as it is taken in, to go on with by itself. */
  fork(): OpenRecord {
    const fork = new OpenRecord(this.lsn, this.segment, this.lengthBytes)
    this.beginning.copy(fork.beginning)
    fork.#takenBytes = this.#takenBytes
    fork.#dataChecksum = this.#dataChecksum
    return fork
  }
}
