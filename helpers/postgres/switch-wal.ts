import { Lsn } from './lsn.ts'
import type { Session } from './session.ts'
import { WalSegment } from './wal-segment.ts'

/**
 * Ends the current segment so that it is archived. Writes no row.
 * @returns the last segment that holds WAL written so far.
 * @see PostgreSQL documentation, "Backup Control Functions"
 */
export async function switchWal(session: Session): Promise<WalSegment> {
  const row = await session.one(
    `SELECT pg_switch_wal() AS lsn, pg_walfile_name(pg_current_wal_insert_lsn()) AS name,
            (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS size`,
  )
  return WalSegment.endingAt(
    Lsn.parse(row.lsn ?? ''),
    Number.parseInt(row.name?.slice(0, 8) ?? '', 16),
    Number(row.size),
  )
}
