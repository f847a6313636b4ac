import { Lsn } from '../postgres/lsn.ts'
import type { Row, Session } from '../postgres/session.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'
import { classifyArchiveFile } from './archive-file.ts'

/** How far a server has written its WAL, and how far it says that it has archived it. */
export interface ServerProgress {
  segmentSizeBytes: number
  timeline: number
  insertLsn: Lsn
  /** The server's clock just before and just after that was read: ISO 8601 in UTC with microseconds. */
  readAt: { from: string; until: string }
  /** Written out to the operating system. */
  currentLsn: Lsn
  /** The last segment that the archive_command said it had stored; undefined before the first, and while a history file is the last. */
  lastArchived: WalSegment | undefined
  /** Since the archiver stored anything; undefined when it never has. */
  lastArchivedSecondsAgo: number | undefined
}

type Read = Record<'size' | 'walfile' | 'insert_lsn' | 'current_lsn' | 'read_from' | 'read_until', string>

const NOW = `to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/**
 * Of a primary. Read it *before* the archive is listed: what it says is archived must then stand in the listing.
 * @see PostgreSQL documentation, "pg_stat_archiver"
 */
export async function readServerProgress(session: Session): Promise<ServerProgress> {
  const row = await session.one<Row & Read>(
    `SELECT ${NOW} AS read_from, pg_current_wal_insert_lsn() AS insert_lsn, ${NOW} AS read_until,
            pg_current_wal_lsn() AS current_lsn,
            pg_walfile_name(pg_current_wal_insert_lsn()) AS walfile,
            (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS size,
            last_archived_wal, extract(epoch FROM clock_timestamp() - last_archived_time) AS seconds_ago
       FROM pg_stat_archiver`,
  )
  const segmentSizeBytes = Number(row.size)
  return {
    segmentSizeBytes,
    timeline: Number.parseInt(row.walfile.slice(0, 8), 16),
    insertLsn: Lsn.parse(row.insert_lsn),
    readAt: { from: row.read_from, until: row.read_until },
    currentLsn: Lsn.parse(row.current_lsn),
    lastArchived: row.last_archived_wal ? acknowledged(row.last_archived_wal, segmentSizeBytes) : undefined,
    lastArchivedSecondsAgo: row.seconds_ago ? Number(row.seconds_ago) : undefined,
  }
}

/**
 * Until the server says that it has archived that segment, which it does a moment after the archive has it.
 * @throws {Failure} `deadline-passed`, with the last segment that it says it has archived.
 */
export async function untilAcknowledged(server: Pick<PostgresNode, 'session'>, segment: WalSegment): Promise<void> {
  await using session = await server.session()
  let last: WalSegment | undefined
  await waitFor(
    `the server to say that it has archived ${segment}`,
    'segmentArchived',
    async () => {
      last = (await readServerProgress(session)).lastArchived
      return last?.name === segment.name || undefined
    },
    () => String(last),
  )
}

/** The archiver takes files in the order of their names: a backup's history comes after the segment that it is named after. */
function acknowledged(name: string, segmentSizeBytes: number): WalSegment | undefined {
  const file = classifyArchiveFile(name, segmentSizeBytes)
  return file.kind === 'segment' || file.kind === 'backup' ? file.segment : undefined
}
