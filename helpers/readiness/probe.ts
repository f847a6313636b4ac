import type { ReadableArchive } from '../archive/readable-archive.ts'
import type { PreflightCheck } from '../evidence/preflight-report.ts'
import { Failure } from '../failure.ts'
import type { Session } from '../postgres/session.ts'
import { switchWal } from '../postgres/switch-wal.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import { waitFor } from '../wait.ts'

/** SQLSTATE of a function that the role may not call. */
const INSUFFICIENT_PRIVILEGE = '42501'

/** An archiver tries three times, a second apart, and then sleeps for a minute. */
const ATTEMPTS = 3

/**
 * Ends the current segment and waits until that stands in the archive: the one thing a preflight does to a server, and only when
 * it is told to. Writes no row.
 * @param archive none: the server's word is taken.
 */
export async function probe(session: Session, archive: ReadableArchive | undefined): Promise<PreflightCheck> {
  const check = { name: 'probe', isDecisive: true, wanted: 'a segment that is switched away from is archived' }
  let segment: WalSegment
  try {
    segment = await switchWal(session)
  } catch (error) {
    if ((error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE) throw error
    const advice =
      'This role may not switch segments: GRANT EXECUTE ON FUNCTION pg_switch_wal() TO it, or leave --probe out.'
    return { ...check, verdict: 'unknown', seen: 'not permitted', advice }
  }
  const startedAt = performance.now()
  try {
    await untilArchived(session, segment, archive)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { ...check, verdict: 'failure', seen: `${segment} is not archived`, advice: `${error.message}.` }
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  return { ...check, verdict: 'ok', seen: `${segment} archived within ${seconds} s`, advice: '' }
}

/** The server's word first, which costs a query; then the archive, which may cost a command. */
async function untilArchived(
  session: Session,
  segment: WalSegment,
  archive: ReadableArchive | undefined,
): Promise<void> {
  const read = () => session.one('SELECT last_archived_wal, failed_count, last_failed_wal FROM pg_stat_archiver')
  const before = Number((await read()).failed_count)
  let seen = 'nothing archived'
  await waitFor(
    `the server to say that it has archived ${segment}`,
    'segmentArchived',
    async () => {
      const row = await read()
      const failed = Number(row.failed_count) - before
      seen = `${row.last_archived_wal ?? 'nothing'} archived last, ${failed} attempts failed`
      if (failed >= ATTEMPTS)
        throw new Failure(
          'archiving-failed',
          `the archive_command failed ${failed} times, last for ${row.last_failed_wal}`,
        )
      return (row.last_archived_wal?.slice(0, 24) ?? '') >= segment.name || undefined
    },
    () => seen,
  )
  if (!archive) return
  await waitFor(
    `segment ${segment} to stand in ${archive.path}`,
    'segmentArchived',
    async () => {
      const { segments } = await archive.list()
      return segments.get(segment.timeline)?.some(({ number }) => number === segment.number) || undefined
    },
    () => 'the server says that it has archived it, and it is not there',
  )
}
