import type { ArchivingSample } from '../archive/archiving-sample.ts'
import { rangesOf, type SegmentRange } from '../archive/segment-range.ts'
import { WalSegment } from '../postgres/wal-segment.ts'

/**
 * What the server has finished behind the archive's end and hands to no archiver: neither in the archive nor marked as `.ready`, as
 * what was finished while archive_mode was off. A checkpoint that finds one of them old may still mark it, if it is there by then.
 *
 * A segment is marked before the server says that it has written past it, and loses its mark only when it is stored. Since the look
 * reads the progress first, then the marks, then the archive, one that is on its way is seen in one of the last two.
 * @returns none where the archive has nothing of this timeline: where that begins is not known here.
 * @see PostgreSQL source, `XLogWrite` and `XLogArchiveCheckDone`
 */
export function forgottenSegments({ progress, ready, listing }: ArchivingSample): SegmentRange[] {
  const { currentLsn, timeline, segmentSizeBytes } = progress
  const newest = listing.newest(timeline)
  if (!newest) return []
  const marked = new Set(ready.map(({ segment }) => segment.name))
  const current = WalSegment.containing(currentLsn, timeline, segmentSizeBytes)
  const forgotten: WalSegment[] = []
  for (let segment = newest.next; segment.number < current.number; segment = segment.next)
    if (!marked.has(segment.name)) forgotten.push(segment)
  return rangesOf(forgotten)
}
