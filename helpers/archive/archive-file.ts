import type { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { type Compression, splitCompression } from './compression.ts'

/** What a file in a WAL archive is, by its name alone; where the archive_command has compressed it, how. */
export type ArchiveFile = NamedFile & { compression?: Compression }

type NamedFile =
  | { kind: 'segment'; segment: WalSegment }
  /** A timeline's history. */
  | { kind: 'history'; timeline: number }
  /** A base backup's history: the segment it starts in, and where it starts. */
  | { kind: 'backup'; segment: WalSegment; startLsn: Lsn }
  /** The last segment of a timeline that was left: it was never full, and recovery does not ask for it. */
  | { kind: 'partial'; segment: WalSegment }
  | { kind: 'foreign' }

const FOREIGN: NamedFile = { kind: 'foreign' }

/**
 * As strict as PostgreSQL's own naming: lower-case digits, a missing digit, a segment number that cannot be with this
 * segment size are all `foreign`, since recovery would never ask for such a name. Behind the name `.gz` or `.zst` may stand.
 * @see PostgreSQL source, `src/include/access/xlog_internal.h` (`IsXLogFileName` and its neighbours)
 */
export function classifyArchiveFile(name: string, segmentSizeBytes: number): ArchiveFile {
  // Nearly all of an archive's files, and there may be a million of them: without the cost of a match.
  if (name.length === 24) return segmentFile(name, segmentSizeBytes)
  const { name: plain, compression } = splitCompression(name)
  const file = classify(plain, segmentSizeBytes)
  return compression === undefined || file.kind === 'foreign' ? file : { ...file, compression }
}

function classify(name: string, segmentSizeBytes: number): NamedFile {
  const [, history, segmentName = '', offset, partial] =
    /^(?:([0-9A-F]{8})\.history|([0-9A-F]{24})(?:\.([0-9A-F]{8})\.backup|(\.partial))?)$/.exec(name) ?? []
  if (history !== undefined) {
    const timeline = Number.parseInt(history, 16)
    // Timeline 1 has no parent, and so no history.
    return timeline > 1 ? { kind: 'history', timeline } : FOREIGN
  }
  const file = segmentFile(segmentName, segmentSizeBytes)
  if (file.kind !== 'segment') return FOREIGN
  if (offset !== undefined) return backupFile(file.segment, Number.parseInt(offset, 16))
  return partial === undefined ? file : { kind: 'partial', segment: file.segment }
}

function backupFile(segment: WalSegment, offset: number): NamedFile {
  if (offset >= segment.sizeBytes) return FOREIGN
  return { kind: 'backup', segment, startLsn: segment.start.plus(BigInt(offset)) }
}

/** As `WalSegment.parse`, without an exception's cost for each foreign name. */
function segmentFile(name: string, sizeBytes: number): NamedFile {
  if (!/^[0-9A-F]{24}$/.test(name)) return FOREIGN
  const timeline = Number.parseInt(name.slice(0, 8), 16)
  const log = Number.parseInt(name.slice(8, 16), 16)
  const low = Number.parseInt(name.slice(16), 16)
  const perLog = 0x1_0000_0000 / sizeBytes
  if (timeline === 0 || low >= perLog) return FOREIGN
  return { kind: 'segment', segment: new WalSegment(timeline, BigInt(log * perLog + low), sizeBytes) }
}
