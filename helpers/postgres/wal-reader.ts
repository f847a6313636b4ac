import type { Lsn } from './lsn.ts'
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
import { align, givesUp, isSwitch, OpenRecord, RECORD_HEADER_BYTES, type WalRecord } from './wal-record.ts'
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
 * where it belongs, of each record its checksum and that it follows the one before. No more is kept than one record's header.
 *
 * What it cannot see: bytes between records and behind a segment switch, which mean nothing; the remainder of a record that
 * begins before the first segment; a record that goes on behind the last segment, or whose damaged length says so.
 * @see PostgreSQL source, `XLogDecodeNextRecord` in `src/backend/access/transam/xlogreader.c`
 */
export class WalReader {
  readonly #origin: WalOrigin
  #segment: WalSegment | undefined
  #magic: number | undefined
  /** No page behind this one may be of an older one. */
  #timeline = 0
  /** Goes on on the next page. */
  #open: OpenRecord | Remainder | undefined
  #previous: WalRecord | undefined
  #hasEnded = false

  constructor(origin: WalOrigin) {
    this.#origin = origin
  }

  /**
   * The records that end in a segment, which must follow the one before. A record that goes on behind the last segment that
   * there is, is not among them: that is where WAL ends.
   * @throws {WalDamage} at the first thing that is wrong. In an unfinished segment what a server leaves behind the end of its
   *   WAL is that end, unless WAL goes on behind it.
   * @throws {RangeError} when the segment does not follow, when WAL has ended before it, when no record can begin at `from`.
   */
  *records(content: SegmentContent): Generator<WalRecord, void> {
    const { segment, bytes } = content
    const { start } = segment
    let at = this.#enterSegment(content)
    let page = startOfPage(at)
    try {
      while (at < segment.sizeBytes) {
        if (at === startOfPage(at)) {
          page = at
          at += this.#enterPage(content, page)
        }
        const record = this.#open ?? begin(content, at, start)
        const end = Math.min(at + record.missingBytes, page + PAGE_BYTES)
        if (record instanceof OpenRecord) record.take(bytes, at, end)
        else record.missingBytes -= end - at
        this.#open = record.missingBytes > 0 ? record : undefined
        at = align(end)
        if (record.missingBytes > 0 || !(record instanceof OpenRecord)) continue
        this.#previous = this.#finish(record, segment, start.plus(BigInt(at)))
        if (isSwitch(this.#previous)) at = segment.sizeBytes
        yield this.#previous
      }
    } catch (error) {
      if (!isEnd(error, content, page)) throw error
      this.#hasEnded = true
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

  /** @returns how long its header is. */
  #enterPage({ segment, bytes }: SegmentContent, page: number): number {
    const isFirstPage = this.#magic === undefined
    const header = this.#checkPage(segment, bytes, page)
    const headerBytes = pageHeaderBytes(header)
    if (isFirstPage) this.#open = { missingBytes: header.remainingBytes }
    if (header.flags & PAGE_FLAGS.isOverwrite) {
      const lsn = this.#open instanceof OpenRecord ? this.#open.lsn : undefined
      if (!givesUp(bytes, page + headerBytes, lsn)) {
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

  #finish(open: OpenRecord, segment: WalSegment, endLsn: Lsn): WalRecord {
    const record = open.endingAt(endLsn)
    if (!record) {
      const until = open.segment === segment ? '' : `, which ends in ${segment},`
      throw new WalDamage(
        'wrong-checksum',
        open.segment,
        open.lsn,
        `the record${until} has another checksum than it says`,
      )
    }
    const { lsn, previousLsn } = record
    const follows = this.#previous ? previousLsn.equals(this.#previous.lsn) : previousLsn.isBefore(lsn)
    if (!follows) {
      const what = `the record follows ${previousLsn}, and stands behind ${this.#previous?.lsn ?? 'nothing'}`
      throw new WalDamage('wrong-previous', open.segment, lsn, what)
    }
    return isSwitch(record) ? { ...record, endLsn: segment.end } : record
  }
}

function startOfPage(at: number): number {
  return at - (at % PAGE_BYTES)
}

function begin({ segment, bytes }: SegmentContent, at: number, start: Lsn): OpenRecord {
  const lengthBytes = bytes.readUInt32LE(at)
  if (lengthBytes === 0) throw damageAt(segment, at, 'zeros', 'no record is written: there are zeros')
  if (lengthBytes < RECORD_HEADER_BYTES) {
    throw damageAt(segment, at, 'wrong-length', `no record is ${lengthBytes} bytes long`)
  }
  return new OpenRecord(start.plus(BigInt(at)), segment, lengthBytes)
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
