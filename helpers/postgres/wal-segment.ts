import { Lsn } from './lsn.ts'

/** What initdb chooses unless it is told otherwise (`--wal-segsize`). */
export const DEFAULT_SEGMENT_SIZE_BYTES = 16 * 1024 * 1024

/**
 * One segment of the write-ahead log: a timeline and a number, which with the segment size name a file.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` (`XLogFileName`)
 */
export class WalSegment {
  constructor(
    readonly timeline: number,
    /** Counted from the beginning of the log: LSN divided by the segment size. */
    readonly number: bigint,
    readonly sizeBytes: number,
  ) {}

  /** The segment that holds the byte at `lsn`. */
  static containing(lsn: Lsn, timeline: number, sizeBytes: number): WalSegment {
    return new WalSegment(timeline, lsn.bytes / BigInt(sizeBytes), sizeBytes)
  }

  /**
   * The segment that ends a range of WAL: the one that holds the byte before `lsn`. A record that ends on a segment
   * boundary needs nothing of the segment after it.
   */
  static endingAt(lsn: Lsn, timeline: number, sizeBytes: number): WalSegment {
    return WalSegment.containing(lsn.bytes === 0n ? lsn : lsn.plus(-1n), timeline, sizeBytes)
  }

  /** @throws {RangeError} when `name` is not a segment's file name of that size: 24 upper-case hexadecimal digits, the last eight within the size. */
  static parse(name: string, sizeBytes: number): WalSegment {
    const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name)
    const perLog = segmentsPerLog(sizeBytes)
    const [timeline, log, low] = [match?.[1], match?.[2], match?.[3]].map(digits => BigInt(`0x${digits ?? '0'}`))
    if (
      !match ||
      timeline === undefined ||
      log === undefined ||
      low === undefined ||
      low >= perLog ||
      timeline === 0n
    ) {
      throw new RangeError(`'${name}' is not the name of a WAL segment of ${sizeBytes} bytes`)
    }
    return new WalSegment(Number(timeline), log * perLog + low, sizeBytes)
  }

  get name(): string {
    const perLog = segmentsPerLog(this.sizeBytes)
    const hex = (value: bigint | number) => value.toString(16).toUpperCase().padStart(8, '0')
    return hex(this.timeline) + hex(this.number / perLog) + hex(this.number % perLog)
  }

  /** LSN of its first byte. */
  get start(): Lsn {
    return Lsn.fromBytes(this.number * BigInt(this.sizeBytes))
  }

  /** LSN of the first byte after it. */
  get end(): Lsn {
    return this.start.plus(BigInt(this.sizeBytes))
  }

  get next(): WalSegment {
    return new WalSegment(this.timeline, this.number + 1n, this.sizeBytes)
  }

  /** @throws {RangeError} of the first one there is. */
  get previous(): WalSegment {
    if (this.number === 0n) throw new RangeError(`${this} is the first segment there is`)
    return new WalSegment(this.timeline, this.number - 1n, this.sizeBytes)
  }

  onTimeline(timeline: number): WalSegment {
    return new WalSegment(timeline, this.number, this.sizeBytes)
  }

  toString(): string {
    return this.name
  }

  toJSON(): string {
    return this.name
  }
}

/** How many segments share the middle eight digits of a file name: 4 GiB of log. */
function segmentsPerLog(sizeBytes: number): bigint {
  return 0x1_0000_0000n / BigInt(sizeBytes)
}
