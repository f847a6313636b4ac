import type { ArchiveListing } from '../archive/listing.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { BackupManifest } from './manifest.ts'

/**
 * The segments that hold a backup's WAL ranges, all that it cannot become consistent without, and which of them the archive
 * does not have whole.
 * @see PostgreSQL documentation, "Backup Manifest Format", WAL-Ranges
 */
export function findRequiredWal(
  { walRanges }: Pick<BackupManifest, 'walRanges'>,
  { segments, segmentSizeBytes }: Pick<ArchiveListing, 'segments' | 'segmentSizeBytes'>,
): { required: WalSegment[]; missing: WalSegment[] } {
  const required = new Map<string, WalSegment>()
  for (const { timeline, startLsn, endLsn } of walRanges) {
    const last = WalSegment.endingAt(endLsn, timeline, segmentSizeBytes)
    let segment = WalSegment.containing(startLsn, timeline, segmentSizeBytes)
    for (; segment.number <= last.number; segment = segment.next) required.set(segment.name, segment)
  }
  const archived = new Set([...segments.values()].flatMap(whole => whole.map(({ name }) => name)))
  return { required: [...required.values()], missing: [...required.values()].filter(({ name }) => !archived.has(name)) }
}
