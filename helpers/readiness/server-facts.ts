import type { Row, Session } from '../postgres/session.ts'
import { archivalSettingNames, readSettings, type SettingRow } from './archival-settings.ts'

/** What a live server says of itself, in one read. */
export interface ServerFacts {
  version: string
  user: string
  isSuperuser: boolean
  /** A standby, or a server that is being recovered. */
  isInRecovery: boolean
  systemIdentifier: string
  segmentSizeBytes: number
  /** That are being taken of it at this moment. */
  runningBackups: number
  clock: ServerClock
  settings: readonly SettingRow[]
}

export interface ServerClock {
  /** How far the server's clock is ahead of this machine's. */
  skewSeconds: number
  /** By so much more or less: the question was on its way for twice that. */
  uncertaintySeconds: number
}

type Identity = Record<
  'version' | 'user' | 'superuser' | 'in_recovery' | 'system_identifier' | 'segment_size' | 'backups' | 'now',
  string
>

/** Which bear on recovery besides those of the archive. */
const OTHER_SETTINGS = ['fsync', 'data_checksums', 'log_timezone', 'max_slot_wal_keep_size']

/** @see PostgreSQL documentation, "pg_control_system", "pg_stat_progress_basebackup" */
export async function readServerFacts(session: Session): Promise<ServerFacts> {
  const sentAtMs = Date.now()
  const clock = await session.one<Row & { now: string }>('SELECT extract(epoch FROM clock_timestamp()) AS now')
  const gotAtMs = Date.now()
  const row = await session.one<Row & Identity>(
    `SELECT current_setting('server_version') AS version, current_user AS user,
            (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
            pg_is_in_recovery() AS in_recovery,
            (SELECT system_identifier FROM pg_control_system()) AS system_identifier,
            (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS segment_size,
            (SELECT count(*) FROM pg_stat_progress_basebackup) AS backups`,
  )
  return {
    version: row.version,
    user: row.user,
    isSuperuser: row.superuser === 't',
    isInRecovery: row.in_recovery === 't',
    systemIdentifier: row.system_identifier,
    segmentSizeBytes: Number(row.segment_size),
    runningBackups: Number(row.backups),
    clock: {
      skewSeconds: Number(clock.now) - (sentAtMs + gotAtMs) / 2000,
      uncertaintySeconds: (gotAtMs - sentAtMs) / 2000,
    },
    settings: await readSettings(session, [...archivalSettingNames, ...OTHER_SETTINGS]),
  }
}
