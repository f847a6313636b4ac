import type { ArchiveContents } from '../archive/archive-contents.ts'
import { type Leg, newestTimeline, recoveryPath } from '../archive/recovery-path.ts'
import type { BaseBackup } from '../backup/base-backup.ts'
import { Failure } from '../failure.ts'
import type { Settings } from '../postgres/conf.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import { describeTarget, type RecoveryTarget, targetsAmong } from './recovery-target.ts'
import { resolveTargetTime } from './target-time.ts'

/** What is known of how far a recovery can come, before it begins. */
export interface Reach extends Pick<ArchiveContents, 'listing' | 'histories'> {
  /** Segments that recovery finds elsewhere than in the archive: saved from the lost server's `pg_wal`, or there as `.partial`. */
  elsewhere?: readonly WalSegment[]
  /** By the clock of whoever restores: ISO 8601 with an offset. */
  now: string
}

export interface CheckedRecovery {
  target: RecoveryTarget
  targetTimeline: 'latest' | 'current' | number
  /** All that recovery is configured with. */
  settings: Settings
  /** Of a user's backup it may not be known when it ended: then a time is not held against that. */
  backup: Pick<BaseBackup, 'id' | 'timeline' | 'startLsn' | 'stopLsn'> & { stoppedAt: string | undefined }
}

/**
 * Refuses a recovery that cannot come to its target as far as that can be known before anything is restored, each time with what
 * to do instead. What only the WAL knows (whether there is such a transaction, restore point, or commit after that time) is
 * left to PostgreSQL. A gap on the way is none of this: that is the audit's.
 *
 * Within the backup's very last record PostgreSQL would be consistent by then, and is not tried.
 * @throws {Failure} `several-targets`, `timeline-history-missing`, `timeline-not-a-child`, `target-before-backup`,
 *   `target-beyond-archive`, `target-in-future`, and of a time without an offset what `resolveTargetTime` throws.
 */
export function checkTarget({ target, targetTimeline, settings, backup }: CheckedRecovery, reach: Reach): void {
  refuseSeveral(settings)
  const path = findPath(target, targetTimeline, backup, reach)
  if (target.kind === 'lsn') {
    if (target.lsn.isBefore(backup.stopLsn)) throw beforeBackup(target, backup, `at ${backup.stopLsn}`)
    refuseBeyond(target, path, reach)
  }
  if (target.kind === 'time') {
    const time = serverTimeMicroseconds(resolveTargetTime(target.time))
    const { stoppedAt } = backup
    if (stoppedAt !== undefined && time < serverTimeMicroseconds(stoppedAt))
      throw beforeBackup(target, backup, `at ${stoppedAt}`)
    if (time > serverTimeMicroseconds(reach.now))
      throw new Failure(
        'target-in-future',
        `${describeTarget(target)} lies in the future: it is ${reach.now}. Name a time that has been, on the clock that it was noted from`,
        { target: target.time, now: reach.now },
      )
  }
}

/** At its start PostgreSQL would refuse them, too. */
function refuseSeveral(settings: Settings): void {
  const targets = targetsAmong(settings)
  if (targets.length > 1)
    throw new Failure('several-targets', `${targets.join(' and ')} are set: leave one of them, and '' for the others`, {
      targets,
    })
}

function findPath(
  target: RecoveryTarget,
  targetTimeline: CheckedRecovery['targetTimeline'],
  backup: CheckedRecovery['backup'],
  { listing, histories }: Reach,
): Leg[] {
  const along = (timeline: number) =>
    recoveryPath({ listing, histories, backup, timeline, ...(target.kind === 'lsn' ? { target: target.lsn } : {}) })
  try {
    return along(numberOf(targetTimeline, backup.timeline, histories))
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause
    const others = [...new Set([backup.timeline, ...histories.keys()])].filter(timeline => isReachable(along, timeline))
    const instead =
      cause.kind === 'timeline-history-missing'
        ? 'put its history into the archive'
        : 'take a backup that is on its way'
    throw new Failure(
      cause.kind,
      `${cause.message}: ${instead}, or recover along timeline ${others.join(' or ')}`,
      { ...cause.evidence, reachable: others },
      { cause },
    )
  }
}

function numberOf(
  targetTimeline: CheckedRecovery['targetTimeline'],
  current: number,
  histories: Reach['histories'],
): number {
  if (targetTimeline === 'current') return current
  return targetTimeline === 'latest' ? newestTimeline(current, histories) : targetTimeline
}

function isReachable(along: (timeline: number) => Leg[], timeline: number): boolean {
  try {
    along(timeline)
    return true
  } catch {
    return false
  }
}

/** PostgreSQL refuses it only where it stops before it is consistent; a time it may just as well recover past. */
function beforeBackup(
  target: RecoveryTarget,
  { id, stopLsn, stoppedAt }: CheckedRecovery['backup'],
  end: string,
): Failure {
  return new Failure(
    'target-before-backup',
    `${describeTarget(target)} lies before the end of the base backup ${id} ${end}, and no recovery from it comes to a moment before that: take an older backup`,
    { backup: id, stopLsn: stopLsn.toString(), stoppedAt },
  )
}

/** Recovery stops only once it has read the record at the target or past it. */
function refuseBeyond(
  target: Extract<RecoveryTarget, { kind: 'lsn' }>,
  path: readonly Leg[],
  { listing, elsewhere = [] }: Reach,
): void {
  const ends = path.flatMap(({ timeline, first, last }) => {
    const isOn = ({ number }: WalSegment) => number >= first && number <= last
    const newest = listing.segments.get(timeline)?.findLast(isOn)
    return [...(newest ? [newest] : []), ...elsewhere.filter(one => one.timeline === timeline && isOn(one))]
  })
  const end = ends.reduce<Lsn | undefined>((max, { end }) => (max?.isBefore(end) === false ? max : end), undefined)
  if (end && target.lsn.isBefore(end)) return
  const timelines = path.map(({ timeline }) => timeline).join(', ')
  throw new Failure(
    'target-beyond-archive',
    end
      ? `${describeTarget(target)} lies beyond the end of the archive, which along timeline ${timelines} holds WAL up to ${end}: archive what is missing first, or take a target before that`
      : `${describeTarget(target)} cannot be reached: the archive holds no segment of timeline ${timelines}`,
    { target: target.lsn.toString(), end: end?.toString() ?? null },
  )
}
