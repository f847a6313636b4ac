import type { ArchiveListing, ListingSummary } from '../archive/listing.ts'
import type { ReadableArchive } from '../archive/readable-archive.ts'
import { readServerProgress, type ServerProgress } from '../archive/server-progress.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Row, Session } from '../postgres/session.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { atOneMoment, readTablesNow, type TableStates } from './table-state.ts'

/** How far the archive is behind the server. */
export interface ArchiveLag {
  /** That hold WAL which the archive does not. The one being written counts. */
  segments: number
  bytes: number
  /** Since the archiver stored anything; undefined when it never has, or nothing is missing. */
  seconds?: number
}

/**
 * What was true of a primary at one moment. The tables' moment lies between `fromLsn` and `toLsn`: when `exact`, they hold
 * every commit before `fromLsn` and no other; else some commit may lie on either side, and the counts are bounds.
 */
export interface Snapshot {
  /** The server's clock, ISO 8601 in UTC with microseconds. */
  takenAt: string
  systemIdentifier: string
  timeline: number
  /** Insert LSN immediately before the moment, and immediately after it. */
  fromLsn: Lsn
  toLsn: Lsn
  /** `pg_current_wal_lsn()` and `pg_current_wal_insert_lsn()`, read together: what the runbook captures. */
  currentLsn: Lsn
  insertLsn: Lsn
  exact: boolean
  /** That had written, or might have, when the moment came; prepared ones included. */
  transactionsInProgress: number
  /** Listed after the LSNs were read. */
  archive: ListingSummary
  /** Undefined when nothing of the server's timeline is archived. */
  lag: ArchiveLag | undefined
  tables: TableStates
}

/**
 * @param tables as `schema.table`; default: all permanent ones.
 * @throws {CannotRun} when the archive is of another segment size than the server, or a table is not there.
 */
export async function takeSnapshot(
  session: Session,
  archive: ReadableArchive,
  { tables }: { tables?: readonly string[] } = {},
): Promise<Snapshot> {
  const progress = await readServerProgress(session)
  archive.assertTakes(progress)
  const fromLsn = await readInsertLsn(session)
  const transactionsInProgress = await countTransactionsInProgress(session)
  const read = await atOneMoment(session, async () => {
    // The transaction's moment is when its first query begins; this is read right after it.
    const toLsn = await readInsertLsn(session)
    return { toLsn, ...(await readIdentity(session)), tables: await readTablesNow(session, tables) }
  })
  const listing = await archive.list()
  return {
    ...read,
    timeline: progress.timeline,
    fromLsn,
    currentLsn: progress.currentLsn,
    insertLsn: progress.insertLsn,
    exact: fromLsn.equals(read.toLsn) && transactionsInProgress === 0,
    transactionsInProgress,
    archive: listing.summary(),
    lag: lagOf(progress, listing),
  }
}

export async function readInsertLsn(session: Session): Promise<Lsn> {
  return Lsn.parse((await session.one<Row & { lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn')).lsn)
}

/**
 * Every transaction that has an xid, prepared ones too, holds a lock on it until after others see it as ended. A commit
 * whose record lies before `fromLsn` and which the tables do not show yet is thus found here, between the two reads.
 * `pg_current_snapshot()` would not do: it leaves out what is in progress beyond its xmax, such as the only writer.
 * @see PostgreSQL source, `CommitTransaction` in `src/backend/access/transam/xact.c`
 */
export async function countTransactionsInProgress(session: Session): Promise<number> {
  const row = await session.one(
    `SELECT count(*) AS count FROM pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted`,
  )
  return Number(row.count)
}

export async function readIdentity(session: Session): Promise<Pick<Snapshot, 'systemIdentifier' | 'takenAt'>> {
  const row = await session.one<Row & { system_identifier: string; now: string }>(
    `SELECT system_identifier, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now FROM pg_control_system()`,
  )
  return { systemIdentifier: row.system_identifier, takenAt: row.now }
}

/** At the start of every segment, before the first record. @see PostgreSQL source, `SizeOfXLogLongPHD` in `xlog_internal.h` */
const LONG_PAGE_HEADER_BYTES = 40n

/** Exported for its test. */
export function lagOf(progress: Omit<ServerProgress, 'readAt'>, listing: ArchiveListing): ArchiveLag | undefined {
  const { insertLsn, timeline, segmentSizeBytes, lastArchivedSecondsAgo: seconds } = progress
  const newest = listing.newest(timeline)
  if (!newest) return undefined
  const bytes = insertLsn.minus(newest.end)
  // An insert LSN that stands behind a segment's page header alone has no record before it that the archive lacks.
  if (bytes <= LONG_PAGE_HEADER_BYTES) return { segments: 0, bytes: 0 }
  const segments = Number(WalSegment.endingAt(insertLsn, timeline, segmentSizeBytes).number - newest.number)
  return { segments, bytes: Number(bytes), ...(seconds === undefined ? {} : { seconds }) }
}

export interface Coverage {
  covered: boolean
  /** Says so, or states the lag. */
  sentence: string
}

/** Whether all WAL up to a snapshot's LSN lies below the newest segment archived. Of gaps before that, only an audit tells. */
export function coverage({ insertLsn, timeline, lag }: Pick<Snapshot, 'insertLsn' | 'timeline' | 'lag'>): Coverage {
  if (!lag)
    return {
      covered: false,
      sentence: `nothing of timeline ${timeline} is archived, and the server is at ${insertLsn}`,
    }
  if (lag.bytes === 0) return { covered: true, sentence: `the archive covers ${insertLsn}` }
  const since =
    lag.seconds === undefined
      ? 'the archiver has stored nothing yet'
      : `the archiver last stored something ${lag.seconds.toFixed(1)} s before`
  const segments = `${lag.segments} segment${lag.segments === 1 ? '' : 's'}`
  return { covered: false, sentence: `${insertLsn} is ${segments} (${lag.bytes} bytes) past the archive; ${since}` }
}
