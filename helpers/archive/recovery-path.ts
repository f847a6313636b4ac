import { Failure } from '../failure.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { TimelineHistory } from '../postgres/timeline-history.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { ArchiveListing } from './listing.ts'

/** The segments that recovery takes from one timeline, by number, both ends included. */
export interface Leg {
  timeline: number
  first: number
  last: number
}

/**
 * The timeline that `recovery_target_timeline = 'latest'` finds: it asks for one history after the other, and the first
 * that is missing ends the search.
 * @see PostgreSQL source, `findNewestTimeLine` in `src/backend/access/transam/timeline.c`
 */
export function newestTimeline(from: number, histories: ReadonlyMap<number, TimelineHistory>): number {
  let newest = from
  while (histories.has(newest + 1)) newest++
  return newest
}

/**
 * Which timeline recovery takes each segment from: the newest that had begun by then, in ascending order. The segment in
 * which a timeline begins is the child's, which holds the parent's WAL before the switchpoint as well.
 * @param plan.target in the segment of a switchpoint but before it: then the parent's file serves as well as the child's.
 * @throws {Failure} `timeline-history-missing` or `timeline-not-a-child`, as recovery would refuse.
 * @see PostgreSQL source, `XLogFileReadAnyTLI` in `src/backend/access/transam/xlogrecovery.c`
 */
export function recoveryPath({
  listing,
  histories,
  backup,
  timeline,
  target,
}: {
  listing: ArchiveListing
  histories: ReadonlyMap<number, TimelineHistory>
  backup: { timeline: number; startLsn: Lsn; stopLsn: Lsn }
  timeline: number
  target?: Lsn
}): Leg[] {
  const history = findHistory(histories, timeline, backup.timeline)
  for (const lsn of [backup.startLsn, backup.stopLsn.plus(-1n)]) {
    if (history.timelineOf(lsn) === backup.timeline) continue
    const why = `timeline ${timeline} cannot be reached from this backup, which was taken on timeline ${backup.timeline} up to ${backup.stopLsn}`
    throw new Failure('timeline-not-a-child', why, {
      timeline,
      backupTimeline: backup.timeline,
      stopLsn: String(backup.stopLsn),
    })
  }
  const legs = legsOf(history, listing.segmentSizeBytes)
  return target ? legs.flatMap(leg => cutAt(leg, target, history, listing)) : legs
}

function findHistory(
  histories: ReadonlyMap<number, TimelineHistory>,
  timeline: number,
  backupTimeline: number,
): TimelineHistory {
  const history = histories.get(timeline)
  if (history) return history
  // Recovery takes a timeline without a history for one without a parent, which is no harm as long as it stays on it.
  if (timeline === backupTimeline) return TimelineHistory.withoutParent(timeline)
  throw new Failure(
    'timeline-history-missing',
    `the history of timeline ${timeline} is not in the archive, so recovery cannot follow it`,
    { timeline },
  )
}

function legsOf({ switches, timeline }: TimelineHistory, size: number): Leg[] {
  const timelines = [...switches.map(one => one.timeline), timeline]
  const legs: Leg[] = []
  let last = Number.POSITIVE_INFINITY
  for (let index = timelines.length - 1; index >= 0; index--) {
    const begin = switches[index - 1]?.switchpoint
    const first = begin ? Number(begin.bytes / BigInt(size)) : 0
    if (first <= last) legs.unshift({ timeline: timelines[index] ?? timeline, first, last })
    last = Math.min(last, first - 1)
  }
  return legs
}

/** The target's segment from a parent that holds it, where the child's file is not there. */
function cutAt(leg: Leg, target: Lsn, history: TimelineHistory, listing: ArchiveListing): Leg[] {
  const segment = WalSegment.containing(target, history.timelineOf(target), listing.segmentSizeBytes)
  const number = Number(segment.number)
  if (number < leg.first || number > leg.last || segment.timeline === leg.timeline) return [leg]
  if (isWhole(listing, segment.onTimeline(leg.timeline)) || !isWhole(listing, segment)) return [leg]
  const parts = [
    { ...leg, last: number - 1 },
    { timeline: segment.timeline, first: number, last: number },
    { ...leg, first: number + 1 },
  ]
  return parts.filter(part => part.first <= part.last)
}

function isWhole(listing: ArchiveListing, segment: WalSegment): boolean {
  return listing.segments.get(segment.timeline)?.some(one => one.number === segment.number) ?? false
}
