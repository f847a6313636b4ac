import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { ArchiveContents } from './archive-contents.ts'
import { classifyArchiveFile } from './archive-file.ts'
import type { ServerProgress } from './server-progress.ts'

/** What a server says of its archiver. */
export interface ArchiverState {
  /** `archive_mode` is on, and there is a command or a library. */
  isConfigured: boolean
  /** The process is there. It ends with an archive_command that is killed or exits above 125, and comes again 10 s after it began. */
  isRunning: boolean
  /** It waits for its archive_command to end. */
  isInCommand: boolean
  archivedCount: number
  /** Of those that count: a command that is killed or exits above 125 does not. */
  failedCount: number
  /** Of the attempts that count, the last one failed. */
  hasFailedLast: boolean
  /** The name of the file that the last of them was for. */
  lastFailed: string | undefined
}

export interface SlotState {
  name: string
  /** Somebody reads from it. */
  isActive: boolean
  /** The oldest WAL that the server keeps for it. */
  restartLsn: Lsn
}

/** A segment that waits for the archiver. */
interface ReadySegment {
  segment: WalSegment
  /** Since the server finished it, by the time of its `.ready` file, which is in whole seconds: up to one too many. */
  secondsAgo: number
}

/** Why a server keeps WAL that is archived already. */
interface WalRetention {
  /** `wal_keep_size`. */
  keepBytes: number
  /** Where recovery from a crash would begin. */
  redoLsn: Lsn
  /** Those that hold WAL back. */
  slots: readonly SlotState[]
}

export interface ServerArchiving {
  archiver: ArchiverState
  /** Segments with a `.ready` file, in ascending order: finished, and not yet archived as far as the server knows. */
  ready: readonly ReadySegment[]
  /** Of all files of `pg_wal`. */
  walBytes: number
  retention: WalRetention
}

/** How a primary and its archive stood at one moment. */
export interface ArchivingSample extends ServerArchiving, ArchiveContents {
  /** For the reader. */
  at: string
  /** Of a clock that never goes backwards. */
  atSeconds: number
  /** Read first: what it says is archived must then stand in the listing, which is read last. */
  progress: ServerProgress
  /** What the archiver has complained of since it last stored something; undefined also where there is no log to be read. */
  complaint: string | undefined
}

/**
 * One query, which a member of `pg_monitor` may ask.
 * @see PostgreSQL documentation, "pg_stat_archiver", "Generic File Access Functions", "pg_replication_slots", "Wait Events of Type IPC"
 */
const LOOK = `
  SELECT current_setting('archive_mode') <> 'off'
           AND (current_setting('archive_command') <> '' OR current_setting('archive_library') <> '') AS configured,
         archived_count, failed_count,
         coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL) AS failed_last,
         last_failed_wal,
         (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'archiver') AS archivers,
         (SELECT count(*) FROM pg_stat_activity
           WHERE backend_type = 'archiver' AND wait_event = 'ArchiveCommand') AS in_command,
         (SELECT json_agg(json_build_object('name', name, 'secondsAgo', extract(epoch FROM clock_timestamp() - modification))
                          ORDER BY name COLLATE "C")
            FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready') AS ready,
         (SELECT sum(size) FROM pg_ls_waldir()) AS wal_bytes,
         (SELECT pg_size_bytes(current_setting('wal_keep_size'))) AS keep_bytes,
         (SELECT redo_lsn FROM pg_control_checkpoint()) AS redo_lsn,
         (SELECT json_agg(json_build_object('name', slot_name, 'isActive', active, 'restartLsn', restart_lsn))
            FROM pg_replication_slots WHERE restart_lsn IS NOT NULL) AS slots
    FROM pg_stat_archiver`

/** Of a primary. Read it after its progress, and before its archive is listed. */
export async function readServerArchiving(session: Session, segmentSizeBytes: number): Promise<ServerArchiving> {
  const row = await session.one(LOOK)
  return {
    archiver: {
      isConfigured: row.configured === 't',
      isRunning: Number(row.archivers) > 0,
      isInCommand: Number(row.in_command) > 0,
      archivedCount: Number(row.archived_count),
      failedCount: Number(row.failed_count),
      hasFailedLast: row.failed_last === 't',
      lastFailed: row.last_failed_wal ?? undefined,
    },
    ready: toReady(row.ready ?? '[]', segmentSizeBytes),
    walBytes: Number(row.wal_bytes),
    retention: {
      keepBytes: Number(row.keep_bytes),
      redoLsn: Lsn.parse(row.redo_lsn ?? ''),
      slots: toSlots(row.slots ?? '[]'),
    },
  }
}

function toReady(json: string, segmentSizeBytes: number): ReadySegment[] {
  const files: { name: string; secondsAgo: number }[] = JSON.parse(json)
  return files.flatMap(({ name, secondsAgo }) => {
    const file = classifyArchiveFile(name.replace(/\.ready$/, ''), segmentSizeBytes)
    return file.kind === 'segment' && file.compression === undefined ? [{ segment: file.segment, secondsAgo }] : []
  })
}

function toSlots(json: string): SlotState[] {
  const slots: { name: string; isActive: boolean; restartLsn: string }[] = JSON.parse(json)
  return slots.map(slot => ({ ...slot, restartLsn: Lsn.parse(slot.restartLsn) }))
}
