import type { Lsn } from './lsn.ts'
import { WalDamage } from './wal-damage.ts'
import { findPageDamage, findSizeDamage } from './wal-page.ts'
import { type SegmentContent, type WalOrigin, WalReader } from './wal-reader.ts'
import type { WalSegment } from './wal-segment.ts'

/** A segment of which only the beginning was read. */
export interface SegmentHead {
  segment: WalSegment
  /** Of its file; unpacked, where it is compressed. */
  sizeBytes: number
  /** `SEGMENT_HEADER_BYTES` of it or more. */
  head: Buffer
}

/**
 * Whether a finished segment is the one that its name says, by its size and its first bytes. What stands behind them is not
 * looked at.
 * @param systemIdentifier of the cluster that the segment should be of, in decimal.
 * @throws {RangeError} when `head` is too short to tell.
 */
export function findHeadDamage(
  { segment, sizeBytes, head }: SegmentHead,
  systemIdentifier: string,
): WalDamage | undefined {
  return findSizeDamage(segment, sizeBytes) ?? findPageDamage(head, 0, segment, systemIdentifier)
}

export interface WalCheck {
  /** How many were found to be as they were written. */
  records: number
  /** Where the last of them ends. */
  endLsn?: Lsn
  damage?: WalDamage
}

/**
 * Reads segments that follow one another from record to record until something is wrong or there is no more. One segment is
 * kept in memory at a time.
 * @throws {RangeError} as `WalReader` does.
 * @throws what `contents` throws.
 */
export async function checkWal(contents: AsyncIterable<SegmentContent>, origin: WalOrigin): Promise<WalCheck> {
  const reader = new WalReader(origin)
  let damage: WalDamage | undefined
  try {
    for await (const content of contents) reader.read(content)
  } catch (error) {
    if (!(error instanceof WalDamage)) throw error
    damage = error
  }
  const { records, endLsn } = reader
  return { records, ...(endLsn ? { endLsn } : {}), ...(damage ? { damage } : {}) }
}
