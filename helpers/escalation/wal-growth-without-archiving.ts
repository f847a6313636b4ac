import type { ArchivingSample } from '../archive/archiving-sample.ts'
import { rangesOf, type SegmentRange } from '../archive/segment-range.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { mebibytes, type OtherGrowth, otherGrowth } from './other-growth.ts'
import type { Finding } from './signal.ts'

/** Why finished segments do not come into the archive. */
export type ArchiveFailure =
  /** `archive_mode` is off, or there is nothing to archive with. */
  | 'not-configured'
  | 'archiver-not-running'
  | 'command-failing'
  /** It fails too, and says why. */
  | 'archive-full'
  | 'archive-read-only'
  /** It fails for a name that is taken: two servers archive into one archive, or somebody has put the file there. */
  | 'conflicting-segment'
  /** It succeeds without having stored anything, or not all of it: `pg_stat_archiver` looks healthy. */
  | 'command-lying'
  /** It neither succeeds nor fails. */
  | 'command-hanging'
  | 'never-archived'
  /** The archiver is there, runs no command, and nothing says why. */
  | 'unexplained'

export interface WalGrowthWithoutArchiving extends Finding {
  name: 'wal-growth-without-archiving'
  cause: ArchiveFailure
  /** What the archiver or its command has said of it. */
  complaint: string | undefined
  /** Finished by the server and not whole in the archive, or not as this server wrote it, in ascending order. */
  lacking: readonly SegmentRange[]
  /** How far one can come back: to where the first of them begins. */
  recoverableTo: Lsn
}

export interface WalGrowthReport {
  /** One at the most: whatever its cause, it blocks the same. */
  findings: readonly WalGrowthWithoutArchiving[]
  /** What else makes `pg_wal` grow, the most first: no finding, but stated. */
  others: readonly OtherGrowth[]
}

/** Says nothing of the cause: that may change while nothing is archived, and the condition stays the same. */
const BLOCKS = 'recovery to what was written since the archive ends'

/**
 * What "`pg_wal` growth without corresponding `archive_command` writes" finds in the last of several observations: segments
 * that the server has finished and the archive does not hold, and that nothing has stored since the observation before. How
 * long that may be so is the policy's to say: here it takes two observations, or one in which something has failed.
 *
 * The server's word is not taken: what it says is archived is looked for in the archive. A segment that was seen whole there
 * and is gone was not lied about: that is another alarm, as is an old hole that the archiver has long left behind.
 * @param samples the oldest first; with times of one clock.
 */
export function detectWalGrowthWithoutArchiving(samples: readonly ArchivingSample[]): WalGrowthReport {
  const last = samples.at(-1)
  if (!last) return { findings: [], others: [] }
  const conflicting = isAtTakenName(samples)
  const waiting = conflicting ? last.ready.map(({ segment }) => segment) : waitingIn(last)
  const owed = { waiting, unstored: unstoredIn(samples, last), conflicting }
  const cause = causeOf(samples, last, owed)
  return { findings: cause ? [findingOf(cause, samples, last, owed)] : [], others: otherGrowth(samples) }
}

/** Segments that are not in the archive. */
interface Owed {
  /** The server knows it. */
  waiting: readonly WalSegment[]
  /** The server says that they are archived. */
  unstored: readonly WalSegment[]
  /** The first that waits is there by its name, and the archive_command fails for it all the same. */
  conflicting: boolean
}

function causeOf(
  samples: readonly ArchivingSample[],
  last: ArchivingSample,
  { waiting, unstored, conflicting }: Owed,
): ArchiveFailure | undefined {
  const { archiver, complaint } = last
  if (unstored.length > 0) return 'command-lying'
  if (waiting.length === 0) return undefined
  if (!archiver.isConfigured) return 'not-configured'
  if (conflicting) return 'conflicting-segment'
  if (complaint !== undefined) return causeNamedBy(complaint)
  if (!archiver.isRunning) return 'archiver-not-running'
  if (isHanging(samples)) return 'command-hanging'
  if (archiver.hasFailedLast) return 'command-failing'
  if (!hasStalled(samples)) return undefined
  if (archiver.isInCommand) return 'command-hanging'
  return archiver.archivedCount === 0 ? 'never-archived' : 'unexplained'
}

/** As the operating system words it, in the servers' locale. @see strerror(3) for ENOSPC, EDQUOT, EROFS, EACCES and EPERM */
function causeNamedBy(complaint: string): ArchiveFailure {
  if (/No space left on device|Disk quota exceeded/i.test(complaint)) return 'archive-full'
  if (/Read-only file system|Permission denied|Operation not permitted/i.test(complaint)) return 'archive-read-only'
  return 'command-failing'
}

/** Between the last two observations: the oldest segment that waits is still the same. */
function hasStalled(samples: readonly ArchivingSample[]): boolean {
  const [before, last] = samples.slice(-2)
  if (!before || !last || before.archiver.archivedCount !== last.archiver.archivedCount) return false
  return waitingIn(before)[0]?.name === waitingIn(last)[0]?.name
}

/** At every observation it was in its command, and meanwhile no attempt has ended: that it failed before is over. */
function isHanging(samples: readonly ArchivingSample[]): boolean {
  const [first] = samples
  const areInOne = samples.every(
    ({ archiver }) => archiver.isInCommand && archiver.failedCount === first?.archiver.failedCount,
  )
  return areInOne && hasStalled(samples)
}

/**
 * At the last two observations the archiver had failed at the segment that stood there whole: what the archive holds under that
 * name, the archive_command does not take for this server's. In one alone it may have been stored a moment ago.
 */
function isAtTakenName(samples: readonly ArchivingSample[]): boolean {
  const [before, last] = samples.slice(-2).map(({ archiver, ready: [first], listing }) => {
    if (!first || !archiver.hasFailedLast || archiver.lastFailed !== first.segment.name) return undefined
    return isWholeIn(listing, first.segment) ? `${first.segment} after ${archiver.archivedCount}` : undefined
  })
  return last !== undefined && last === before
}

/** A server that does not archive marks nothing as ready: there, it is what it has finished behind the archive's end. */
function waitingIn({ archiver, listing, progress, ...sample }: ArchivingSample): readonly WalSegment[] {
  const ready = sample.ready.map(({ segment }) => segment)
  if (archiver.isConfigured || ready.length > 0) return ready.filter(segment => !isWholeIn(listing, segment))
  const newest = listing.newest(progress.timeline)
  return newest ? between(newest.number, currentSegment(progress).number - 1n, progress) : []
}

/**
 * Said to be archived, and never seen whole in the archive: behind its end, or since the first observation. An archive that has
 * nothing at all of this timeline lacks at least what was archived last.
 */
function unstoredIn(samples: readonly ArchivingSample[], last: ArchivingSample): readonly WalSegment[] {
  const { progress, ready, listing } = last
  const acknowledged = progress.lastArchived
  if (acknowledged?.timeline !== progress.timeline) return []
  const newest = listing.newest(progress.timeline)
  const end = newest ? newest.number : acknowledged.number - 1n
  const known = acknowledgedBefore(samples[0] ?? last)
  return between(known < end ? known : end, acknowledged.number, progress).filter(
    segment =>
      !isWholeIn(listing, segment) &&
      !samples.some(sample => isWholeIn(sample.listing, segment)) &&
      !ready.some(one => one.segment.name === segment.name),
  )
}

/** The number of the last segment that an observation did not leave to be archived. */
function acknowledgedBefore({ progress, ready }: ArchivingSample): bigint {
  if (progress.lastArchived?.timeline === progress.timeline) return progress.lastArchived.number
  const oldest = ready.find(({ segment }) => segment.timeline === progress.timeline)?.segment
  return (oldest ?? currentSegment(progress)).number - 1n
}

/** Behind `after`, up to and with `last`, by their numbers. */
function between(after: bigint, last: bigint, progress: ArchivingSample['progress']): WalSegment[] {
  const segments: WalSegment[] = []
  for (let number = after + 1n; number <= last; number++)
    segments.push(new WalSegment(progress.timeline, number, progress.segmentSizeBytes))
  return segments
}

function currentSegment({ currentLsn, timeline, segmentSizeBytes }: ArchivingSample['progress']): WalSegment {
  return WalSegment.containing(currentLsn, timeline, segmentSizeBytes)
}

function isWholeIn({ segments }: ArchivingSample['listing'], { timeline, number }: WalSegment): boolean {
  return segments.get(timeline)?.some(one => one.number === number) ?? false
}

function findingOf(
  cause: ArchiveFailure,
  samples: readonly ArchivingSample[],
  last: ArchivingSample,
  { waiting, unstored, conflicting }: Owed,
): WalGrowthWithoutArchiving {
  const segments = [...new Map([...unstored, ...waiting].map(segment => [segment.name, segment])).values()].sort(
    (a, b) => (a.name < b.name ? -1 : 1),
  )
  const [first] = segments
  if (!first) throw new RangeError(`${cause}, and no segment is lacking`)
  const lacking = rangesOf(segments)
  const complaint = cause === 'command-lying' ? undefined : last.complaint
  return {
    name: 'wal-growth-without-archiving',
    blocks: BLOCKS,
    cause,
    complaint,
    lacking,
    recoverableTo: first.start,
    sentence: `at ${last.at}, ${WHY[cause]}${complaint === undefined ? '' : `: ${complaint}`}; finished and not in the archive${conflicting ? ' as this server wrote it' : ''}: ${lacking.join(', ')}; ${growthOf(samples, last)}; ${last.listing.segments.size === 0 ? 'no segment is seen in the archive, to come back with' : `one can come back to ${first.start} at the most`}`,
  }
}

const WHY: Record<ArchiveFailure, string> = {
  'not-configured': 'archive_mode is off, or there is neither an archive_command nor an archive_library',
  'archiver-not-running': 'no archiver is running',
  'command-failing': 'the archive_command fails',
  'archive-full': 'the archive is full',
  'archive-read-only': 'the archive cannot be written to',
  'conflicting-segment':
    'the archive_command fails at a segment whose name is taken in the archive, as where two servers archive into one',
  'command-lying': 'the archive_command succeeds without storing what it was given',
  'command-hanging': 'the archive_command does not end',
  'never-archived': 'nothing has ever been archived',
  unexplained: 'the archiver is there and archives nothing',
}

function growthOf(samples: readonly ArchivingSample[], last: ArchivingSample): string {
  const first = samples[0] ?? last
  const written = Number(last.progress.currentLsn.minus(first.progress.currentLsn))
  const grown = last.walBytes - first.walBytes
  return `pg_wal holds ${mebibytes(last.walBytes)} (${grown < 0 ? '' : '+'}${mebibytes(grown)}), ${mebibytes(written)} of WAL written in ${(last.atSeconds - first.atSeconds).toFixed(1)} s`
}
