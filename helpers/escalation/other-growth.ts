import type { ArchivingSample, SlotState } from '../archive/archiving-sample.ts'
import { WalSegment } from '../postgres/wal-segment.ts'

/** Why `pg_wal` is large though archiving works. */
export interface OtherGrowth {
  kind: 'replication-slot' | 'wal-keep-size' | 'checkpoint' | 'load'
  /** Of WAL that the server keeps for this reason, or has written while it was watched. */
  bytes: number
  /** What it is, and what is to be done where something is. */
  sentence: string
}

/**
 * The reasons for which a server keeps or writes a segment and more, the largest first. None is a failure of the archive:
 * segments that it keeps for them are archived already. Not even a slot is escalated, though it fills the disk as a dead archive
 * does: the runbook's signal would send whoever is paged to the archive, where all is well. It is stated, with what to do.
 * @see PostgreSQL source, `KeepLogSeg` and `RemoveOldXlogFiles` in `src/backend/access/transam/xlog.c`
 */
export function otherGrowth(samples: readonly ArchivingSample[]): OtherGrowth[] {
  const last = samples.at(-1)
  if (!last) return []
  const reasons = [
    ...last.retention.slots.map(slot => ofSlot(slot, last)),
    ofKeepSize(last),
    ofCheckpoint(last),
    ofLoad(samples),
  ]
  return reasons.flatMap(reason => reason ?? []).sort((a, b) => b.bytes - a.bytes)
}

function ofSlot({ name, isActive, restartLsn }: SlotState, sample: ArchivingSample): OtherGrowth | undefined {
  const bytes = bytesBehind(restartLsn, sample)
  return atLeastASegment(sample, {
    kind: 'replication-slot',
    bytes,
    sentence: isActive
      ? `the replication slot '${name}' holds ${mebibytes(bytes)} of WAL back, for somebody who reads too slowly`
      : `the replication slot '${name}' holds ${mebibytes(bytes)} of WAL back, and nobody reads from it: let its reader come again, or drop it`,
  })
}

function ofKeepSize(sample: ArchivingSample): OtherGrowth | undefined {
  const bytes = Math.min(sample.retention.keepBytes, sample.walBytes)
  return atLeastASegment(sample, {
    kind: 'wal-keep-size',
    bytes,
    sentence: `wal_keep_size keeps up to ${mebibytes(sample.retention.keepBytes)} of WAL, as it is told to`,
  })
}

function ofCheckpoint(sample: ArchivingSample): OtherGrowth | undefined {
  const bytes = bytesBehind(sample.retention.redoLsn, sample)
  return atLeastASegment(sample, {
    kind: 'checkpoint',
    bytes,
    sentence: `${mebibytes(bytes)} of WAL were written since the last checkpoint that has ended, and stay until the next one has`,
  })
}

function ofLoad(samples: readonly ArchivingSample[]): OtherGrowth | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (!first || !last) return undefined
  const bytes = Number(last.progress.currentLsn.minus(first.progress.currentLsn))
  const stored = last.archiver.archivedCount - first.archiver.archivedCount
  return atLeastASegment(last, {
    kind: 'load',
    bytes,
    sentence: `${mebibytes(bytes)} of WAL were written in ${(last.atSeconds - first.atSeconds).toFixed(1)} s, in which ${stored} files were archived; ${last.ready.length} segments wait`,
  })
}

/** From the beginning of the segment that holds `lsn`: the server keeps whole segments. */
function bytesBehind(lsn: ArchivingSample['retention']['redoLsn'], { progress }: ArchivingSample): number {
  const { start } = WalSegment.containing(lsn, progress.timeline, progress.segmentSizeBytes)
  return Number(progress.currentLsn.minus(start))
}

function atLeastASegment({ progress }: ArchivingSample, reason: OtherGrowth): OtherGrowth | undefined {
  return reason.bytes >= progress.segmentSizeBytes ? reason : undefined
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
