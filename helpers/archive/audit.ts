import { Lsn } from '../postgres/lsn.ts'
import type { TimelineHistory } from '../postgres/timeline-history.ts'
import type { WalDamage, WalDamageKind } from '../postgres/wal-damage.ts'
import { findSizeDamage } from '../postgres/wal-page.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { archiveOddities } from './archive-oddities.ts'
import type { ServerArchiving } from './archiving-sample.ts'
import type { ArchiveListing } from './listing.ts'
import { type Leg, newestTimeline, recoveryPath } from './recovery-path.ts'
import { SegmentRange } from './segment-range.ts'
import type { ServerProgress } from './server-progress.ts'

/**
 * - `found`: stands in the archive with the right size, and nothing that was read of it is wrong
 * - `delayed`: the server has not archived it yet, and has finished it no longer ago than the lag, or has not yet written it
 * - `lost`: not in the archive, and nobody will put it there, or nobody has within the lag
 * - `damaged`: there, with another size than a segment has, or with other content than it should
 */
export type SegmentStatus = 'found' | 'delayed' | 'lost' | 'damaged'

/**
 * - `before-backup`: harmless, the backup does not need it
 * - `before-consistency`: the backup never becomes consistent
 * - `blocks-target`: recovery from this backup does not reach the target
 * - `beyond-target`: the target is reached; how far one can come back at all ends here
 */
export type Placement = 'before-backup' | 'before-consistency' | 'blocks-target' | 'beyond-target'

export interface Gap {
  range: SegmentRange
  status: 'lost' | 'damaged'
  placement: Placement
  /** Of the first segment of a damaged range. The others have the same kind of it. */
  damage?: WalDamage
}

/** What is wrong with a segment, by what was read of it. */
export interface SegmentDamage {
  damage: WalDamage
  /**
   * Recovery reads the segment up to its damage: where the last record before that begins, and where it ends. Undefined where the
   * records were not read, and where it takes nothing at all of the segment.
   */
  whole?: { lastLsn: Lsn; endLsn: Lsn } | undefined
}

export interface AuditInput {
  listing: ArchiveListing
  /** Segments that have the right size and are damaged all the same, by name. Default: nobody has looked. */
  damages?: ReadonlyMap<string, SegmentDamage>
  /** Of the timelines that have a history file in the archive. */
  histories?: ReadonlyMap<number, TimelineHistory>
  /** Timelines whose history is in the archive and cannot be followed. */
  damagedHistories?: readonly number[]
  backup: { timeline: number; startLsn: Lsn; stopLsn: Lsn }
  target: { lsn: Lsn } | 'latest'
  /** Default: what `recovery_target_timeline = 'latest'` finds from the backup's timeline on. */
  targetTimeline?: number
  /**
   * Of the primary while it lives, read before the archive was listed. Without it nothing is ever `delayed`; without what waits for
   * its archiver, nothing is ever delayed too long.
   */
  server?: Pick<ServerProgress, 'timeline' | 'currentLsn' | 'lastArchived'> & Partial<Pick<ServerArchiving, 'ready'>>
  /**
   * How long the archiver may take, from when the server finished a segment. Default: an hour, which is much longer than it waits
   * between two attempts, and than an alarm of growth waits to tell the cause; and no longer than a loss of WAL may go unnoticed.
   */
  lagSeconds?: number
}

const DEFAULT_LAG_SECONDS = 3600

export interface ArchiveAudit {
  /**
   * - `recoverable`: every segment up to the target is there
   * - `delayed`: not yet, the server has still to archive up to the target
   * - `blocked`: the target cannot be reached
   * - `no-consistent-point`: the backup is of no use
   */
  verdict: 'recoverable' | 'delayed' | 'blocked' | 'no-consistent-point'
  target: Lsn | 'latest'
  timeline: number
  /** The status of every segment on the way, from the oldest in the archive to the last known to have been written; without overlap, in ascending order. */
  statuses: readonly { range: SegmentRange; status: SegmentStatus }[]
  gaps: readonly Gap[]
  /**
   * Of the timelines between the backup's and the living server's, in ascending order: without the first of them recovery
   * does not find its way to where the server is. What was audited is then the way that it finds.
   */
  lostHistories: readonly { timeline: number; status: 'lost' | 'damaged' }[]
  /** What of the archive is not what it looks like, a sentence each; none of it is counted as found. */
  oddities: readonly string[]
  /**
   * End of the last segment that recovery can read from the backup on, or of the last record before a damage behind it; undefined
   * when it never gets consistent.
   */
  recoverableTo: Lsn | undefined
}

/** Segment numbers as plain numbers: the smallest segments, of 1 MiB, leave 44 bits of a 64 bit LSN. Both ends included. */
interface Piece {
  timeline: number
  first: number
  last: number
  status: SegmentStatus
  /** Of a damaged one. */
  kind?: WalDamageKind
}

/**
 * Whether the archive holds what recovery from a backup to a target needs, by names, sizes and what else is known of the segments.
 * The last one needed is the one that holds the target: recovery stops only when it has read the record there.
 *
 * A hole with a later segment behind it is `lost` at once, and so is what the server said it had archived. What comes after
 * both is `delayed`, however much it is, until the server has waited for one of it longer than the lag: that one is then `lost`, with
 * all before it. Until then, that the archiver does not keep up is another alarm.
 * @throws {Failure} `timeline-history-missing` or `timeline-not-a-child`, as recovery would refuse.
 */
export function auditArchive({
  listing,
  damages = new Map(),
  histories = new Map(),
  damagedHistories = [],
  backup,
  target: wanted,
  targetTimeline,
  server,
  lagSeconds = DEFAULT_LAG_SECONDS,
}: AuditInput): ArchiveAudit {
  const size = listing.segmentSizeBytes
  // In ascending order: what comes before it has waited no less.
  const overdue = server?.ready?.findLast(({ secondsAgo }) => secondsAgo > lagSeconds)?.segment
  const timeline = targetTimeline ?? newestTimeline(backup.timeline, histories)
  const isOutOfReach = targetTimeline === undefined && server !== undefined && server.timeline > timeline
  const lostHistories = isOutOfReach
    ? findLost({ listing, histories, damagedHistories, server, overdue }, timeline + 1)
    : []
  // Where the way to the target is not known, all that can be asked is whether the known part of it is there.
  const target = isOutOfReach ? 'latest' : wanted
  const path = recoveryPath({
    listing,
    histories,
    backup,
    timeline,
    ...(target === 'latest' ? {} : { target: target.lsn }),
  })
  const start = numberAt(backup.startLsn, size)
  const stop = Number(WalSegment.endingAt(backup.stopLsn, backup.timeline, size).number)
  const needed = Math.max(stop, target === 'latest' ? 0 : numberAt(target.lsn, size))
  // On the way to the end of the archive there is nothing beyond the target.
  const reach = target === 'latest' ? Number.POSITIVE_INFINITY : needed

  const listed = path.map(leg => ({ leg, pieces: listedPieces(listing, damages, leg) }))
  const known = knownEnd(
    listed.flatMap(({ pieces }) => pieces),
    server?.timeline === timeline ? server : undefined,
    overdue,
    size,
  )
  const end = Math.max(start, needed, known.end)
  const from = Math.min(start, ...listed.map(({ pieces }) => pieces[0]?.first ?? start))
  const pieces = listed.flatMap(({ leg, pieces }) =>
    fillHoles(
      pieces,
      { timeline: leg.timeline, first: Math.max(leg.first, from), last: Math.min(leg.last, end) },
      known.delayedFrom,
    ),
  )

  const wholeBefore = ({ timeline, first }: Piece) => damages.get(nameOf(timeline, first, size))?.whole
  const gaps = pieces.flatMap(piece => {
    if (piece.status !== 'lost' && piece.status !== 'damaged') return []
    const whole = wholeBefore(piece)
    // What is damaged behind the place in question stands in no way to it.
    const consistent = whole && backup.stopLsn.isAtOrBefore(whole.endLsn) ? stop : stop + 1
    const beyond = whole && target !== 'latest' && target.lsn.isAtOrBefore(whole.lastLsn) ? needed : reach + 1
    return place(piece, piece.status, [start, consistent, Math.max(consistent, beyond)], size)
  })
  const readable = lastReadable(pieces, start)
  const broken = pieces.find(({ first, status }) => status === 'damaged' && first === readable + 1)
  const readableTo = (broken && wholeBefore(broken)?.endLsn) ?? Lsn.fromBytes(BigInt(readable + 1) * BigInt(size))
  const isConsistent = readable >= stop || (readable + 1 === stop && backup.stopLsn.isAtOrBefore(readableTo))
  return {
    verdict: isOutOfReach ? verdictOutOfReach(gaps, lostHistories) : verdictOf(gaps, pieces, needed),
    target: wanted === 'latest' ? wanted : wanted.lsn,
    timeline,
    statuses: pieces.map(piece => ({ range: toRange(piece, size), status: piece.status })),
    gaps: withDamages(gaps, damages, listing),
    lostHistories,
    oddities: archiveOddities(listing),
    recoverableTo: isConsistent ? readableTo : undefined,
  }
}

/** Of a segment by its number and timeline; undefined off the way. */
export function statusOf({ statuses }: Pick<ArchiveAudit, 'statuses'>, segment: WalSegment): SegmentStatus | undefined {
  return statuses.find(({ range }) => range.includes(segment))?.status
}

function numberAt(lsn: Lsn, size: number): number {
  return Number(lsn.bytes / BigInt(size))
}

function nameOf(timeline: number, number: number, size: number): string {
  return new WalSegment(timeline, BigInt(number), size).name
}

/** What the listing has of a leg, in ascending order: whole ranges, and damaged segments one by one. */
function listedPieces(
  listing: ArchiveListing,
  damages: NonNullable<AuditInput['damages']>,
  { timeline, first, last }: Leg,
): Piece[] {
  const damaged = (segment: WalSegment, kind: WalDamageKind): Piece[] => {
    const number = Number(segment.number)
    return segment.timeline === timeline ? [{ timeline, first: number, last: number, status: 'damaged', kind }] : []
  }
  const inside = [...damages.values()]
    .flatMap(({ damage }) => damaged(damage.segment, damage.kind))
    .sort((a, b) => a.first - b.first)
  const whole = listing.ranges(timeline).map(
    (range): Piece => ({
      timeline,
      first: Number(range.first.number),
      last: Number(range.last.number),
      status: 'found',
    }),
  )
  return [...putInto(whole, inside), ...listing.wrongSized.flatMap(({ segment }) => damaged(segment, 'wrong-size'))]
    .filter(piece => piece.last >= first && piece.first <= last)
    .map(piece => ({ ...piece, first: Math.max(piece.first, first), last: Math.min(piece.last, last) }))
    .sort((a, b) => a.first - b.first)
}

/** Pieces with some of their segments taken out and put in their places. Both in ascending order. */
function putInto(pieces: readonly Piece[], damaged: readonly Piece[]): Piece[] {
  const all: Piece[] = []
  let next = 0
  for (const piece of pieces) {
    let { first } = piece
    for (; (damaged[next]?.first ?? Number.POSITIVE_INFINITY) <= piece.last; next++) {
      const one = damaged[next]
      if (!one || one.first < first) continue
      if (one.first > first) all.push({ ...piece, first, last: one.first - 1 })
      all.push(one)
      first = one.first + 1
    }
    if (first <= piece.last) all.push({ ...piece, first })
  }
  return all
}

/** The last segment that is known to have been written, and the first that may still come. */
function knownEnd(
  listed: readonly Piece[],
  server: AuditInput['server'],
  overdue: WalSegment | undefined,
  size: number,
): { end: number; delayedFrom: number } {
  const newest = listed.reduce((max, piece) => Math.max(max, piece.last), 0)
  if (!server) return { end: newest, delayedFrom: Number.POSITIVE_INFINITY }
  const acknowledged = server.lastArchived ? Number(server.lastArchived.number) : -1
  const newestWhole = listed.reduce((max, piece) => (piece.status === 'found' ? Math.max(max, piece.last) : max), -1)
  const completed = numberAt(server.currentLsn, size) - 1
  const due = Math.max(newestWhole, acknowledged, overdue ? Number(overdue.number) : -1)
  return { end: Math.max(newest, acknowledged, completed), delayedFrom: due + 1 }
}

/** The whole of `leg` in pieces. A short segment that may still come is one that is being copied. */
function fillHoles(listed: readonly Piece[], leg: Leg, delayedFrom: number): Piece[] {
  const pieces: Piece[] = []
  const add = (first: number, last: number, status: SegmentStatus, kind?: WalDamageKind) => {
    const before = pieces.at(-1)
    if (first > last) return
    if (before?.status === status && before.kind === kind) before.last = last
    else pieces.push({ timeline: leg.timeline, first, last, status, ...(kind && { kind }) })
  }
  const addHole = (first: number, last: number) => {
    add(first, Math.min(last, delayedFrom - 1), 'lost')
    add(Math.max(first, delayedFrom), last, 'delayed')
  }
  let next = leg.first
  for (const piece of listed) {
    addHole(next, piece.first - 1)
    if (piece.status === 'damaged' && piece.first >= delayedFrom) add(piece.first, piece.last, 'delayed')
    else add(piece.first, piece.last, piece.status, piece.kind)
    next = piece.last + 1
  }
  addHole(next, leg.last)
  return pieces
}

/** Made only of what is told: an archive of another server may have a million of them. */
function withDamages(
  gaps: readonly Gap[],
  damages: NonNullable<AuditInput['damages']>,
  { wrongSized }: ArchiveListing,
): Gap[] {
  if (!gaps.some(({ status }) => status === 'damaged')) return [...gaps]
  const sizes = new Map(wrongSized.map(({ segment, sizeBytes }) => [segment.name, sizeBytes]))
  return gaps.map(gap => {
    const { first } = gap.range
    const sizeBytes = sizes.get(first.name)
    const damage = sizeBytes === undefined ? damages.get(first.name)?.damage : findSizeDamage(first, sizeBytes)
    return gap.status === 'damaged' && damage ? { ...gap, damage } : gap
  })
}

/** Cut where the placement changes: at the backup's start, behind its end, behind the target. */
function place(
  piece: Piece,
  status: Gap['status'],
  [backup, consistent, beyond]: [number, number, number],
  size: number,
): Gap[] {
  const part = (first: number, last: number, placement: Placement): Gap[] => {
    const cut = { ...piece, first: Math.max(piece.first, first), last: Math.min(piece.last, last) }
    return cut.first > cut.last ? [] : [{ range: toRange(cut, size), status, placement }]
  }
  return [
    ...part(0, backup - 1, 'before-backup'),
    ...part(backup, consistent - 1, 'before-consistency'),
    ...part(consistent, beyond - 1, 'blocks-target'),
    ...part(beyond, Number.POSITIVE_INFINITY, 'beyond-target'),
  ]
}

/** The last segment in an unbroken row from `start` on; the one before `start` when that is missing. */
function lastReadable(pieces: readonly Piece[], start: number): number {
  let last = start - 1
  for (const piece of pieces) {
    if (piece.last <= last) continue
    if (piece.status !== 'found') break
    last = piece.last
  }
  return last
}

function verdictOf(gaps: readonly Gap[], pieces: readonly Piece[], needed: number): ArchiveAudit['verdict'] {
  if (gaps.some(gap => gap.placement === 'before-consistency')) return 'no-consistent-point'
  if (gaps.some(gap => gap.placement === 'blocks-target')) return 'blocked'
  return pieces.some(piece => piece.status === 'delayed' && piece.first <= needed) ? 'delayed' : 'recoverable'
}

/**
 * A history is stored before the first segment of its timeline. So it may still come while nothing is there that comes after it, and
 * nothing that comes after it has waited longer than the lag.
 */
function findLost(
  {
    listing,
    histories,
    damagedHistories,
    server,
    overdue,
  }: Required<Pick<AuditInput, 'listing' | 'histories' | 'damagedHistories' | 'server'>> & {
    overdue: WalSegment | undefined
  },
  from: number,
): ArchiveAudit['lostHistories'] {
  const due = [
    ...listing.segments.keys(),
    ...listing.histories,
    server.lastArchived?.timeline ?? 0,
    overdue?.timeline ?? 0,
  ]
  const newest = Math.max(...due.filter(timeline => timeline <= server.timeline))
  const lost: { timeline: number; status: 'lost' | 'damaged' }[] = []
  for (let timeline = from; timeline <= newest; timeline++) {
    if (histories.has(timeline)) continue
    lost.push({ timeline, status: damagedHistories.includes(timeline) ? 'damaged' : 'lost' })
  }
  return lost
}

function verdictOutOfReach(gaps: readonly Gap[], lost: ArchiveAudit['lostHistories']): ArchiveAudit['verdict'] {
  if (gaps.some(gap => gap.placement === 'before-consistency')) return 'no-consistent-point'
  return lost.length > 0 ? 'blocked' : 'delayed'
}

function toRange({ timeline, first, last }: Piece, size: number): SegmentRange {
  return new SegmentRange(new WalSegment(timeline, BigInt(first), size), new WalSegment(timeline, BigInt(last), size))
}
