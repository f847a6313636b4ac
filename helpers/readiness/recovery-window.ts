import { type FoundCommit, findFirstCommit, findLastCommit } from '../archive/archived-commits.ts'
import type { StoredSegment } from '../archive/stored-segments.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { Row, Session } from '../postgres/session.ts'
import type { ArchivedBackup } from './archived-backups.ts'
import type { ArchiveLag } from './snapshot.ts'

/** Between which moments one can come back to any. */
export interface RecoveryWindow {
  backup: ArchivedBackup
  /** The first moment: none where neither the backup's history nor a commit tells it. ISO 8601 in UTC. */
  from: string | undefined
  /** The last one: that of the last commit, unless the backup ended after it. None where no commit is in what was read. */
  to: string | undefined
  /** The last that the archive brings back. ISO 8601 in UTC with microseconds. */
  lastCommit: string | undefined
  toLsn: Lsn
  /** What of the archive's end is not as it was written. */
  damages: FoundCommit['damages']
}

/** At the end of an archive that many segments may be of one load that has not committed. Each takes some 20 ms to read. */
const SEGMENTS_AT_MOST = 32
/** Where each has to be fetched. */
const FETCHES_AT_MOST = 3

/**
 * @param way what recovery from the backup on reads, in ascending order, up to the first gap.
 * @param session of the server whose archive it is, which knows in which zone it wrote the backup's history.
 */
export async function findRecoveryWindow(
  backup: ArchivedBackup,
  {
    way,
    toLsn,
    systemIdentifier,
    isFetched,
    session,
  }: { way: readonly StoredSegment[]; toLsn: Lsn; systemIdentifier: string; isFetched: boolean; session: Session },
): Promise<RecoveryWindow> {
  const search = { systemIdentifier, atMost: isFetched ? FETCHES_AT_MOST : SEGMENTS_AT_MOST }
  const last = await findLastCommit(way, search)
  const first = await findFirstCommit(way, backup.stopLsn, search)
  const stoppedAt = backup.history && (await momentOf(session, backup.history.stopTime))
  const lastCommit = last.commit?.at
  const { from, to } = windowBetween({ stoppedAt, firstCommit: first.commit?.at, lastCommit })
  return { backup, from, to, lastCommit, toLsn, damages: last.damages }
}

/**
 * The backup's end is known to the second, whose end is meant; a commit behind it, to the microsecond. What began in that
 * second may so be told by the commit alone.
 */
export function windowBetween({
  stoppedAt,
  firstCommit,
  lastCommit,
}: {
  stoppedAt: string | undefined
  firstCommit: string | undefined
  lastCommit: string | undefined
}): Pick<RecoveryWindow, 'from' | 'to'> {
  const [from] = [stoppedAt, firstCommit].flatMap(one => one ?? []).sort(byTime)
  const to = lastCommit === undefined ? undefined : [lastCommit, from ?? lastCommit].sort(byTime).at(-1)
  return { from, to }
}

/** Those with microseconds, and those without. Earlier first. */
function byTime(a: string, b: string): number {
  const inMicroseconds = (one: string) =>
    one.replace(/(?:\.(\d+))?Z$/, (_, digits = '') => `.${digits.padEnd(6, '0')}Z`)
  const [one, other] = [inMicroseconds(a), inMicroseconds(b)]
  return one < other ? -1 : one > other ? 1 : 0
}

/** SQLSTATE `datetime_field_overflow`: the thirteenth month. */
const NO_SUCH_DATE = '22008'

/**
 * The end of the second that a server wrote as its local time, `2026-01-02 03:04:05 CET`, in UTC: the moment that prints so in its
 * log_timezone. None where none does, as when it wrote that in another zone, or several do.
 */
export async function momentOf(session: Session, text: string): Promise<string | undefined> {
  const [, local] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \S+$/.exec(text) ?? []
  if (local === undefined) return undefined
  await session.query('BEGIN READ ONLY')
  try {
    await session.query(`SELECT set_config('TimeZone', current_setting('log_timezone'), true)`)
    // Its offset from UTC is not known: all that there are.
    const rows = await session.query<Row & { moment: string }>(
      `SELECT to_char(one AT TIME ZONE 'UTC' + interval '1 s', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS moment
         FROM generate_series($1::timestamp AT TIME ZONE 'UTC' - interval '15 h',
                              $1::timestamp AT TIME ZONE 'UTC' + interval '15 h', interval '15 min') one
        WHERE to_char(one, 'YYYY-MM-DD HH24:MI:SS TZ') = upper($2)`,
      [local, text],
    )
    return rows.length === 1 ? rows[0]?.moment : undefined
  } catch (error) {
    if ((error as { code?: string }).code !== NO_SUCH_DATE) throw error
    return undefined
  } finally {
    await session.query('ROLLBACK').catch(() => undefined)
  }
}

/** What bounds how long ago a commit was made that the archive does not have. */
export interface LagFacts {
  /** The server's clock, ISO 8601 in UTC. */
  now: string
  lag: ArchiveLag | undefined
  /** The last commit in the archive. */
  lastCommit: string | undefined
  archiveTimeoutSeconds: number
  /** How long the oldest finished segment has waited for its archiver; undefined when none waits. */
  oldestWaitSeconds: number | undefined
}

/**
 * At the most, so long ago a commit was made that is not in the archive; 0 when the archive lacks nothing. A commit waits in its
 * segment for no longer than archive_timeout, and then for the archiver; and it came after the last that is archived.
 * @returns none where nothing bounds it.
 * @see PostgreSQL source, `CheckArchiveTimeout` in `src/backend/postmaster/checkpointer.c`
 */
export function behindSeconds({
  now,
  lag,
  lastCommit,
  archiveTimeoutSeconds,
  oldestWaitSeconds = 0,
}: LagFacts): number | undefined {
  if (lag?.bytes === 0) return 0
  const bounds = [
    ...(lastCommit === undefined ? [] : [(Date.parse(now) - Date.parse(lastCommit)) / 1000]),
    ...(archiveTimeoutSeconds > 0 && lag ? [archiveTimeoutSeconds + oldestWaitSeconds] : []),
  ]
  return bounds.length === 0 ? undefined : Math.max(0, Math.min(...bounds))
}
