import { crc32c } from './crc32c.ts'
import { Lsn } from './lsn.ts'
import type { SegmentContent } from './wal-reader.ts'
import type { WalRecord } from './wal-record.ts'
import { WalSegment } from './wal-segment.ts'

const PAGE_BYTES = 8192

type ModelRecord = Pick<WalRecord, 'xid' | 'resourceManager' | 'info'> & { data: Buffer }

interface ModelSegment {
  timeline: number
  bytes: Buffer
  /** 1 for each byte of a page header or of a whole record. */
  used: Uint8Array
}

/**
 * For tests of what reads WAL: writes it piece after piece in segments of 1 MB, from the definitions alone, and knows nothing of
 * the reader.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` and `xlogrecord.h`
 */
export class WalModel {
  readonly segmentSizeBytes = 1024 * 1024
  readonly systemIdentifier = '7301234567890123456'
  /** All that are whole, as they should be read. */
  readonly records: WalRecord[] = []
  readonly #segments = new Map<bigint, ModelSegment>()
  #timeline: number
  /** Where the next byte goes. */
  #at: bigint
  #previous = 0n

  /** @param remainderBytes the first segment begins with that much of a record that begins before it. */
  constructor({ firstSegment = 1n, timeline = 1, remainderBytes = 0 } = {}) {
    this.#timeline = timeline
    this.#at = firstSegment * BigInt(this.segmentSizeBytes)
    this.#writePieces(Buffer.alloc(remainderBytes, 0xaa), false)
    this.#alignTo(8n)
  }

  append(record: ModelRecord): void {
    this.#remember(record, this.#write(this.#encode(record)), 8n)
  }

  /** The rest of the segment stays zeros. */
  switchSegment(): void {
    const record = { resourceManager: 0, info: 0x40, xid: 0, data: Buffer.alloc(0) }
    this.#remember(record, this.#write(this.#encode(record)), BigInt(this.segmentSizeBytes))
  }

  /** A crash within a record, of which so many pages were written, and the record that gives it up at the next start. */
  giveUp(pages: number): void {
    const data = Buffer.alloc((pages + 1) * PAGE_BYTES, 0xbb)
    const lsn = this.#write(this.#encode({ resourceManager: 10, info: 0, xid: 7, data }), false, pages)
    const told = Buffer.alloc(18)
    told.set([0xff, 16])
    told.writeBigUInt64LE(lsn, 2)
    this.#writePageHeader(0, 0x8)
    this.append({ resourceManager: 0, info: 0xd0, xid: 0, data: told })
  }

  /** What follows is of the next timeline, in the same segment; the page that it begins in keeps its header. */
  promote(): void {
    this.#timeline++
  }

  get segments(): WalSegment[] {
    return [...this.#segments].map(([number, { timeline }]) => new WalSegment(timeline, number, this.segmentSizeBytes))
  }

  /** Copies, to be damaged. */
  contents(): (SegmentContent & { used: Uint8Array })[] {
    return [...this.#segments.values()].map(({ bytes, used }, index) => ({
      segment: this.segments[index] as WalSegment,
      bytes: Buffer.from(bytes),
      used,
    }))
  }

  #encode({ data, xid, resourceManager, info }: ModelRecord): Buffer {
    const record = Buffer.concat([Buffer.alloc(24), data])
    record.writeUInt32LE(record.length, 0)
    record.writeUInt32LE(xid, 4)
    record.writeBigUInt64LE(this.#previous, 8)
    record.set([info, resourceManager], 16)
    record.writeUInt32LE(crc32c(Buffer.concat([data, record.subarray(0, 20)])), 20)
    return record
  }

  /** @returns where it begins. */
  #write(record: Buffer, isUsed = true, pages?: number): bigint {
    if (this.#room === 0) this.#writePageHeader(0)
    const lsn = this.#at
    this.#writePieces(record, isUsed, pages)
    return lsn
  }

  #writePieces(record: Buffer, isUsed: boolean, pages = Number.POSITIVE_INFINITY): void {
    for (let done = 0, page = 0; done < record.length && page < pages; page++) {
      if (this.#room === 0) this.#writePageHeader(record.length - done)
      const piece = record.subarray(done, done + this.#room)
      this.#copy(piece, isUsed)
      done += piece.length
    }
  }

  #writePageHeader(remainingBytes: number, flags = 0): void {
    const isLong = this.#at % BigInt(this.segmentSizeBytes) === 0n
    const header = Buffer.alloc(isLong ? 40 : 24)
    header.writeUInt16LE(0xd118, 0)
    header.writeUInt16LE(flags | (remainingBytes > 0 ? 0x1 : 0) | (isLong ? 0x2 : 0) | 0x4, 2)
    header.writeUInt32LE(this.#timeline, 4)
    header.writeBigUInt64LE(this.#at, 8)
    header.writeUInt32LE(remainingBytes, 16)
    if (isLong) {
      header.writeBigUInt64LE(BigInt(this.systemIdentifier), 24)
      header.writeUInt32LE(this.segmentSizeBytes, 32)
      header.writeUInt32LE(PAGE_BYTES, 36)
    }
    this.#copy(header, true)
  }

  #copy(bytes: Buffer, isUsed: boolean): void {
    const number = this.#at / BigInt(this.segmentSizeBytes)
    const segment = this.#segments.get(number) ?? {
      timeline: this.#timeline,
      bytes: Buffer.alloc(this.segmentSizeBytes),
      used: new Uint8Array(this.segmentSizeBytes),
    }
    this.#segments.set(number, segment)
    segment.timeline = this.#timeline
    const start = Number(this.#at % BigInt(this.segmentSizeBytes))
    segment.bytes.set(bytes, start)
    segment.used.fill(Number(isUsed), start, start + bytes.length)
    this.#at += BigInt(bytes.length)
  }

  #remember({ xid, resourceManager, info, data }: ModelRecord, lsn: bigint, alignment: bigint): void {
    this.#alignTo(alignment)
    this.records.push({
      lsn: Lsn.fromBytes(lsn),
      endLsn: Lsn.fromBytes(this.#at),
      previousLsn: Lsn.fromBytes(this.#previous),
      xid,
      resourceManager,
      info,
      lengthBytes: 24 + data.length,
    })
    this.#previous = lsn
  }

  #alignTo(bytes: bigint): void {
    this.#at += (bytes - (this.#at % bytes)) % bytes
  }

  /** Left on the page that was begun; none at the beginning of one, which has no header yet. */
  get #room(): number {
    return Number((BigInt(PAGE_BYTES) - (this.#at % BigInt(PAGE_BYTES))) % BigInt(PAGE_BYTES))
  }
}
