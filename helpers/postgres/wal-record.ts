import { crc32c } from './crc32c.ts'
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

/** Up to the next place where a record may begin: `MAXALIGN`. */
export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
}

/** Behind such a record the rest of the segment is not used. */
export function isSwitch({ resourceManager, info }: WalRecord): boolean {
  return resourceManager === XLOG && (info & INFO_MASK) === XLOG_SWITCH
}

/**
 * Whether what begins at `at` is the record that gives up one of which the rest was never written: that at `lsn`, or where that
 * is not known, any.
 * @see PostgreSQL source, `xl_overwrite_contrecord` in `xlog_internal.h`, `VerifyOverwriteContrecord` in `xlogrecovery.c`
 */
export function givesUp(bytes: Buffer, at: number, lsn: Lsn | undefined): boolean {
  return (
    bytes.readUInt8(at + RESOURCE_MANAGER_AT) === XLOG &&
    (bytes.readUInt8(at + INFO_AT) & INFO_MASK) === XLOG_OVERWRITE_CONTRECORD &&
    // Its data follows the header, and two bytes that say how long that is.
    (lsn === undefined || bytes.readBigUInt64LE(at + RECORD_HEADER_BYTES + 2) === lsn.bytes)
  )
}

/**
 * A record that is taken in piece by piece, as pages break it up. Of its data only the checksum is kept, so that a record of any
 * length needs no memory, and the pieces' buffers may be used again.
 * @see PostgreSQL source, `src/include/access/xlogrecord.h` (`XLogRecord`), `ValidXLogRecord` in `xlogreader.c`
 */
export class OpenRecord {
  /** Holds the header from `#headerAt` on. */
  #header: Buffer | undefined
  #headerAt = 0
  #takenBytes = 0
  /** Of the data, to which the header's own is added last. */
  #checksum = 0

  constructor(
    readonly lsn: Lsn,
    /** In which it begins. */
    readonly segment: WalSegment,
    readonly lengthBytes: number,
  ) {}

  get missingBytes(): number {
    return this.lengthBytes - this.#takenBytes
  }

  take(bytes: Buffer, start: number, end: number): void {
    const dataStart = Math.min(end, start + Math.max(0, RECORD_HEADER_BYTES - this.#takenBytes))
    if (dataStart > start) this.#takeHeader(bytes, start, dataStart, end)
    this.#checksum = crc32c(bytes, this.#checksum, dataStart, end)
    this.#takenBytes += end - start
  }

  #takeHeader(bytes: Buffer, start: number, dataStart: number, end: number): void {
    if (end - start === this.lengthBytes) {
      // In one piece, and so over before anything is done to the buffer.
      this.#header = bytes
      this.#headerAt = start
    } else {
      this.#header ??= Buffer.alloc(RECORD_HEADER_BYTES)
      bytes.copy(this.#header, this.#takenBytes, start, dataStart)
    }
  }

  /** Of a record that is whole: as it was written, or none. */
  endingAt(endLsn: Lsn): WalRecord | undefined {
    const [header, at] = [this.#header, this.#headerAt]
    if (!header || crc32c(header, this.#checksum, at, at + CHECKSUM_AT) !== header.readUInt32LE(at + CHECKSUM_AT)) {
      return undefined
    }
    return {
      lsn: this.lsn,
      endLsn,
      previousLsn: Lsn.fromBytes(header.readBigUInt64LE(at + PREVIOUS_AT)),
      xid: header.readUInt32LE(at + XID_AT),
      resourceManager: header.readUInt8(at + RESOURCE_MANAGER_AT),
      info: header.readUInt8(at + INFO_AT),
      lengthBytes: this.lengthBytes,
    }
  }
}
