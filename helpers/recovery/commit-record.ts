import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { LedgerCommit } from '../workload/ledger.ts'

/** Where and when exactly a transaction committed, by its WAL record. */
export interface CommitRecord {
  start: Lsn
  /** Of the last byte and one: the next record starts here, or a page's header further on. */
  end: Lsn
  /** That stands in the record, in UTC: what a recovery to a time compares. */
  time: string
}

/**
 * Reads the record of a commit from the server's WAL. Wants the extension pg_walinspect, and `track_commit_timestamp`.
 * @throws when there is no such record between the LSNs that the ledger has of the commit.
 * @see PostgreSQL documentation, "pg_walinspect"
 */
export async function readCommitRecord(
  session: Session,
  { before, after, xid }: Pick<LedgerCommit, 'before' | 'after' | 'xid'>,
): Promise<CommitRecord> {
  const { start, end, time } = await session.one(
    `SELECT start_lsn AS start, end_lsn AS end,
            (pg_xact_commit_timestamp($3::xid) AT TIME ZONE 'UTC')::text || '+00' AS time
     FROM pg_get_wal_records_info($1, least($2, pg_current_wal_flush_lsn()))
     WHERE resource_manager = 'Transaction' AND record_type LIKE 'COMMIT%' AND xid = $3::xid`,
    [before.toString(), after?.toString(), xid],
  )
  return { start: Lsn.parse(start ?? ''), end: Lsn.parse(end ?? ''), time: time ?? '' }
}

/**
 * The last commit of a segment, by the server's own reading of its WAL. Wants the extension pg_walinspect, and
 * `track_commit_timestamp`.
 * @throws when there is none.
 */
export async function readLastCommit(session: Session, segment: WalSegment): Promise<CommitRecord> {
  const { start, end, time } = await session.one(
    `SELECT start_lsn AS start, end_lsn AS end,
            (pg_xact_commit_timestamp(xid) AT TIME ZONE 'UTC')::text || '+00' AS time
     FROM pg_get_wal_records_info($1, least($2, pg_current_wal_flush_lsn()))
     WHERE resource_manager = 'Transaction' AND record_type LIKE 'COMMIT%'
     ORDER BY start_lsn DESC LIMIT 1`,
    [segment.start.toString(), segment.end.toString()],
  )
  return { start: Lsn.parse(start ?? ''), end: Lsn.parse(end ?? ''), time: time ?? '' }
}
