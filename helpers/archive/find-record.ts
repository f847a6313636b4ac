import type { Lsn } from '../postgres/lsn.ts'
import { PAGE_BYTES } from '../postgres/wal-page.ts'
import { WalReader } from '../postgres/wal-reader.ts'
import { RECORD_HEADER_BYTES, type WalRecord } from '../postgres/wal-record.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { ReadableArchive } from './readable-archive.ts'

/**
 * The first record of a stored segment that begins at `from` or behind it, is all on one page, and has data behind its header.
 * @throws {WalDamage} when the segment is not as it was written; {RangeError} when it has no such record, or is not stored.
 */
export async function findRecord(
  archive: ReadableArchive,
  segment: WalSegment,
  { from, systemIdentifier }: { from: Lsn; systemIdentifier: string },
): Promise<WalRecord> {
  const bytes = await archive.find(segment.name)
  if (!bytes) throw new RangeError(`${segment} is not in the archive`)
  const found: WalRecord[] = []
  new WalReader({ systemIdentifier }).read({ segment, bytes }, record => {
    const { lsn, lengthBytes } = record
    const isOnOnePage = Number(lsn.bytes % BigInt(PAGE_BYTES)) + lengthBytes <= PAGE_BYTES
    if (found.length === 0 && from.isAtOrBefore(lsn) && isOnOnePage && lengthBytes > RECORD_HEADER_BYTES)
      found.push(record)
  })
  const [record] = found
  if (!record) throw new RangeError(`no record of ${segment} begins at ${from} or behind it`)
  return record
}
