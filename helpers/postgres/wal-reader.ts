import { ChecksumMemory } from './checksum-memory.ts'
import { Lsn } from './lsn.ts'
import { WalDamage, type WalDamageKind } from './wal-damage.ts'
import {
  findPageDamage,
  findSizeDamage,
  PAGE_BYTES,
  PAGE_FLAGS,
  type PageHeader,
  pageHeaderBytes,
  readPageHeader,
} from './wal-page.ts'
import {
  align,
  givesUp,
  hasPrevious,
  isAsWritten,
  isSwitch,
  OpenRecord,
  RECORD_BEGINNING_BYTES,
  RECORD_HEADER_BYTES,
  readRecord,
  type WalRecord,
} from './wal-record.ts'
import type { WalSegment } from './wal-segment.ts'

/** A segment with all that its file holds. */
export interface SegmentContent {
  segment: WalSegment
  /** Unpacked, where it was compressed. */
  bytes: Buffer
  /**
   * The server had not come to its end when this was copied: a `.partial`, or the last one of a dead server's `pg_wal`. Where its
   * WAL ends there are zeros, or what a recycled segment held before.
   */
  isUnfinished?: boolean
}

/** What WAL is read as. */
export interface WalOrigin {
  /** Of the cluster that wrote it, in decimal. */
  systemIdentifier: string
  /** Where to begin: a record of the first segment begins here. None: the first record that begins in that segment. */
  from?: Lsn
}

/** A record that begins before the first segment: what of it lies here is passed over, since nothing tells what it should be. */
interface Remainder {
  missingBytes: number
}

/** What a server leaves behind the end of its WAL: pages not written or of a recycled segment, and a record half written. */
const ENDS: readonly WalDamageKind[] = ['zeros', 'other-position', 'wrong-length', 'wrong-checksum', 'wrong-previous']

/**
 * Reads the records of segments that follow one another, and believes nothing of them: of each page it is checked that it is
 * where it belongs, of each record its checksum and that it follows the one before.
 *
 * What it cannot see: bytes between records and behind a segment switch, which mean nothing; the remainder of a record that
 * begins before the first segment; a record that goes on behind the last segment, or whose damaged length says so.
 * @see PostgreSQL source, `XLogDecodeNextRecord` in `src/backend/access/transam/xlogreader.c`
 */
export class WalReader {
  readonly #origin: WalOrigin
  /** A segment at a time, and behind it the beginning of a record that pages had broken up. */
  #memory: ChecksumMemory | undefined
  #segment: WalSegment | undefined
  #magic: number | undefined
  /** No page behind this one may be of an older one. */
  #timeline = 0
  /** Goes on on the next page. */
  #open: OpenRecord | Remainder | undefined
  #records = 0
  /** Where the last record begins: in two halves, as the next one says it. */
  #lastHigh = 0
  #lastLow = 0
  #endLsn: Lsn | undefined
  #hasEnded = false

  constructor(origin: WalOrigin) {
    this.#origin = origin
  }

  /** How many were found to be as they were written. */
  get records(): number {
    return this.#records
  }

  /** Where the last of them begins. */
  get lastLsn(): Lsn | undefined {
    return this.#records > 0 ? this.#last : undefined
  }

  /** Where the last of them ends. */
  get endLsn(): Lsn | undefined {
    return this.#endLsn
  }

  /** Another one that has read the same and goes on by itself. */
  fork(): WalReader {
    const fork = new WalReader(this.#origin)
    // What is in it is of no use behind a call of `read`.
    fork.#memory = this.#memory
    fork.#segment = this.#segment
    fork.#magic = this.#magic
    fork.#timeline = this.#timeline
    fork.#open = this.#open instanceof OpenRecord ? this.#open.fork() : this.#open && { ...this.#open }
    fork.#records = this.#records
    fork.#lastHigh = this.#lastHigh
    fork.#lastLow = this.#lastLow
    fork.#endLsn = this.#endLsn
    fork.#hasEnded = this.#hasEnded
    return fork
  }

  /**
   * Reads all of a segment, which must follow the one before. A record that goes on behind the last segment that there is does
   * not count: that is where WAL ends.
   * @param take is given each record that ends in the segment, as soon as it is known to be as it was written, and the first bytes
   *   behind its header, which are good until it returns.
   * @throws {WalDamage} at the first thing that is wrong. In an unfinished segment what a server leaves behind the end of its
   *   WAL is that end, unless WAL goes on behind it.
   * @throws {RangeError} when the segment does not follow, when WAL has ended before it, when no record can begin at `from`.
   */
  read(content: SegmentContent, take?: (record: WalRecord, data: Buffer) => void): void {
    const { segment } = content
    let at = this.#enterSegment(content)
    const memory = this.#load(content)
    const { words } = memory
    const [startHigh, startLow] = halvesOf(segment.start)
    let page = startOfPage(at)
    /** Of the last record of this segment. */
    let endAt = 0
    try {
      while (at < segment.sizeBytes) {
        if (at === startOfPage(at)) {
          page = at
          at += this.#enterPage(memory, segment, page)
        }
        const lengthBytes = words[at >>> 2] as number
        let headerAt = at
        if (this.#open === undefined && lengthBytes >= RECORD_HEADER_BYTES && at + lengthBytes <= page + PAGE_BYTES) {
          // In one piece, as all short records are but one a page: nothing is made for it.
          const end = at + lengthBytes
          if (!isAsWritten(memory, at, memory.crc32c(at + RECORD_HEADER_BYTES, end))) {
            throw damageAt(segment, at, 'wrong-checksum', `the record ${OTHER_CHECKSUM}`)
          }
          this.#follow(memory, at, segment, startHigh, startLow + at)
          at = align(end)
        } else {
          const open = this.#open ?? begin(memory, segment, at)
          const end = Math.min(at + open.missingBytes, page + PAGE_BYTES)
          if (open instanceof OpenRecord) open.take(memory, at, end)
          else open.missingBytes -= end - at
          at = align(end)
          this.#open = open.missingBytes > 0 ? open : undefined
          if (this.#open || !(open instanceof OpenRecord)) continue
          headerAt = segment.sizeBytes
          memory.bytes.set(open.beginning, headerAt)
          this.#close(memory, open, segment)
        }
        if (isSwitch(memory, headerAt)) at = segment.sizeBytes
        this.#records++
        endAt = at
        if (take) {
          const record = readRecord(memory, headerAt, this.#last, segment.start.plus(BigInt(at)))
          take(record, beginningOf(memory, headerAt, record))
        }
      }
    } catch (error) {
      if (!isEnd(error, content, page)) throw error
      this.#hasEnded = true
    } finally {
      if (endAt > 0) this.#endLsn = segment.start.plus(BigInt(endAt))
    }
  }

  /** @returns where in it to begin. */
  #enterSegment({ segment, bytes }: SegmentContent): number {
    const before = this.#segment
    if (this.#hasEnded) throw new RangeError(`nothing is to be read in ${segment}: WAL has ended in ${before}`)
    if (before && !(segment.start.equals(before.end) && segment.timeline >= before.timeline)) {
      throw new RangeError(`${segment} does not follow ${before}`)
    }
    const damage = findSizeDamage(segment, bytes.length)
    if (damage) throw damage
    this.#segment = segment
    // Only the first segment of a timeline has pages of an older one.
    if (before?.timeline === segment.timeline) this.#timeline = segment.timeline
    return before || !this.#origin.from ? 0 : this.#enterAt(this.#origin.from, segment, bytes)
  }

  #enterAt(from: Lsn, segment: WalSegment, bytes: Buffer): number {
    const at = Number(from.minus(segment.start))
    const page = startOfPage(at)
    if (at < 0 || at >= segment.sizeBytes || at !== align(at)) {
      throw new RangeError(`no record begins at ${from} in ${segment}`)
    }
    this.#checkPage(segment, bytes, 0)
    const header = this.#checkPage(segment, bytes, page)
    if (at > page && at < page + pageHeaderBytes(header)) throw new RangeError(`${from} is within the header of a page`)
    return at
  }

  #load({ segment, bytes }: SegmentContent): ChecksumMemory {
    this.#memory ??= new ChecksumMemory(segment.sizeBytes + RECORD_BEGINNING_BYTES)
    this.#memory.bytes.set(bytes)
    return this.#memory
  }

  /** @returns how long its header is. */
  #enterPage(memory: ChecksumMemory, segment: WalSegment, page: number): number {
    const isFirstPage = this.#magic === undefined
    const header = this.#checkPage(segment, memory.bytes, page)
    const headerBytes = pageHeaderBytes(header)
    if (isFirstPage) this.#open = { missingBytes: header.remainingBytes }
    if (header.flags & PAGE_FLAGS.isOverwrite) {
      const lsn = this.#open instanceof OpenRecord ? this.#open.lsn : undefined
      if (!givesUp(memory, page + headerBytes, lsn)) {
        throw damageAt(segment, page, 'wrong-overwrite', `the page does not give up ${lsn ?? 'the record before it'}`)
      }
      this.#open = undefined
    }
    const missingBytes = this.#open?.missingBytes ?? 0
    if (header.remainingBytes !== missingBytes) {
      throw damageAt(
        segment,
        page,
        'wrong-continuation',
        `the page has ${header.remainingBytes} bytes more of a record that lacks ${missingBytes}`,
      )
    }
    if (missingBytes === 0) this.#open = undefined
    return headerBytes
  }

  #checkPage(segment: WalSegment, bytes: Buffer, page: number): PageHeader {
    const damage = findPageDamage(bytes, page, segment, this.#origin.systemIdentifier)
    if (damage) throw damage
    const header = readPageHeader(bytes, page)
    this.#magic ??= header.magic
    if (header.magic !== this.#magic) {
      throw damageAt(segment, page, 'unknown-magic', 'the page is of another version than those before it')
    }
    if (header.timeline < this.#timeline) {
      const what = `the page is of timeline ${header.timeline}, where timeline ${this.#timeline} has begun`
      throw damageAt(segment, page, 'other-timeline', what)
    }
    this.#timeline = header.timeline
    return header
  }

  /** What is left to be asked of a record whose pieces are all there, and its header behind the segment. */
  #close(memory: ChecksumMemory, { segment, lsn, dataChecksum }: OpenRecord, endsIn: WalSegment): void {
    const headerAt = endsIn.sizeBytes
    if (!isAsWritten(memory, headerAt, dataChecksum)) {
      const until = segment === endsIn ? '' : `, which ends in ${endsIn},`
      throw new WalDamage('wrong-checksum', segment, lsn, `the record${until} ${OTHER_CHECKSUM}`)
    }
    this.#follow(memory, headerAt, segment, ...halvesOf(lsn))
  }

  /** The record, of which the header is at `headerAt` in memory, follows the last one, and is it from now on. */
  #follow(memory: ChecksumMemory, headerAt: number, segment: WalSegment, high: number, low: number): void {
    if (!(this.#records > 0 && hasPrevious(memory, headerAt, this.#lastHigh, this.#lastLow))) {
      this.#assertFollows(memory, headerAt, segment, lsnOf(high, low))
    }
    this.#lastHigh = high
    this.#lastLow = low
  }

  #assertFollows(memory: ChecksumMemory, headerAt: number, segment: WalSegment, lsn: Lsn): void {
    const { previousLsn } = readRecord(memory, headerAt, lsn, lsn)
    if (this.#records === 0 && previousLsn.isBefore(lsn)) return
    const what = `the record follows ${previousLsn}, and stands behind ${this.lastLsn ?? 'nothing'}`
    throw new WalDamage('wrong-previous', segment, lsn, what)
  }

  get #last(): Lsn {
    return lsnOf(this.#lastHigh, this.#lastLow)
  }
}

const OTHER_CHECKSUM = 'has another checksum than it says'

function beginningOf({ bytes }: ChecksumMemory, headerAt: number, { lengthBytes }: WalRecord): Buffer {
  return bytes.subarray(headerAt + RECORD_HEADER_BYTES, headerAt + Math.min(lengthBytes, RECORD_BEGINNING_BYTES))
}

function halvesOf({ bytes }: Lsn): [high: number, low: number] {
  return [Number(bytes >> 32n), Number(bytes & 0xffff_ffffn)]
}

function lsnOf(high: number, low: number): Lsn {
  return Lsn.fromBytes((BigInt(high) << 32n) | BigInt(low))
}

function startOfPage(at: number): number {
  return at - (at % PAGE_BYTES)
}

function begin({ words }: ChecksumMemory, segment: WalSegment, at: number): OpenRecord {
  const lengthBytes = words[at >>> 2] as number
  if (lengthBytes === 0) throw damageAt(segment, at, 'zeros', 'no record is written: there are zeros')
  if (lengthBytes < RECORD_HEADER_BYTES) {
    throw damageAt(segment, at, 'wrong-length', `no record is ${lengthBytes} bytes long`)
  }
  return new OpenRecord(segment.start.plus(BigInt(at)), segment, lengthBytes)
}

function damageAt(segment: WalSegment, at: number, kind: WalDamageKind, what: string): WalDamage {
  return new WalDamage(kind, segment, segment.start.plus(BigInt(at)), what)
}

/** A server writes page after page: what it left unfinished is on the last one. */
function isEnd(error: unknown, { segment, bytes, isUnfinished }: SegmentContent, page: number): boolean {
  if (!isUnfinished || !(error instanceof WalDamage) || !ENDS.includes(error.kind)) return false
  for (let behind = page + PAGE_BYTES; behind < bytes.length; behind += PAGE_BYTES) {
    if (!findPageDamage(bytes, behind, segment, '')) return false
  }
  return true
}
