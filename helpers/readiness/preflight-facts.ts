import { setTimeout as delay } from 'node:timers/promises'
import { ArchiveAuditor, storedWay } from '../archive/archive-auditor.ts'
import { ArchivingObserver } from '../archive/archiving-observer.ts'
import { type ArchivingSample, readServerArchiving } from '../archive/archiving-sample.ts'
import type { ArchiveAudit } from '../archive/audit.ts'
import { ArchiveListing } from '../archive/listing.ts'
import type { ReadableArchive } from '../archive/readable-archive.ts'
import { readServerProgress, type ServerProgress } from '../archive/server-progress.ts'
import { findStoredSegments, type StoredSegment } from '../archive/stored-segments.ts'
import { redact } from '../environment.ts'
import { CannotRun, Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import { readSegmentHeader } from '../postgres/wal-page.ts'
import { type ArchivedBackup, ArchivedBackups } from './archived-backups.ts'
import { findRecoveryWindow, momentOf, type RecoveryWindow } from './recovery-window.ts'
import { readServerFacts, type ServerFacts } from './server-facts.ts'
import { type ArchiveLag, lagOf } from './snapshot.ts'
import type { Space, Unknown } from './space.ts'

/** The live server, and what can be seen of its places from here. */
export interface Surroundings {
  /** For people, without any secret. */
  where: string
  /** What is worth knowing about the way there, a sentence each. */
  warnings: readonly string[]
  session(): Promise<Session>
  /** None where the user has named none. */
  archive(segmentSizeBytes: number): ArchiveAccess | undefined
  /** Of the file system that its `pg_wal` lies on. */
  walSpace(dataDirectory: string, systemIdentifier: string): Promise<Space | Unknown>
}

export interface ArchiveAccess {
  archive: ReadableArchive
  space(): Promise<Space | Unknown>
}

/** The way from a base backup to now, as the archive has it. */
interface BackupAudit {
  backup: ArchivedBackup
  audit: ArchiveAudit
}

export interface ArchiveFacts {
  where: string
  reach: ReadableArchive['reach']
  listing: ArchiveListing
  /** Of the cluster that the newest segment is of; none where no segment is there, or it could not be read. */
  systemIdentifier: string | undefined
  backups: {
    count: number
    newest: ArchivedBackup | undefined
    /** When that ended, where it can be told: ISO 8601 in UTC. */
    newestStoppedAt: string | undefined
    unreadable: readonly string[]
  }
  /** Without a gap from the oldest base backup from which there is none. */
  usable: BackupAudit | undefined
  /** From the oldest base backup of all, where a gap stands between that and now. */
  broken: BackupAudit | undefined
  /** Of the usable one; else of the broken one, up to its first gap. */
  window: RecoveryWindow | undefined
  space: Space | Unknown
}

/** All that the checks judge, read in one go. */
export interface PreflightFacts {
  where: string
  warnings: readonly string[]
  /** By this machine's clock. */
  at: string
  server: ServerFacts
  /** At the archiver, the oldest first; none at a server in recovery. */
  looks: readonly ArchivingSample[]
  /** At the last look. */
  progress: ServerProgress | undefined
  lag: ArchiveLag | undefined
  archive: ArchiveFacts | Unknown
  walSpace: Space | Unknown
}

/** Between two looks: an archiver that works has come further, one that hangs has not. */
const LOOK_EVERY_MS = 1_000

/**
 * Reads everything and writes nothing. @param looks at least one is made.
 * @throws what the server throws.
 */
export async function gatherFacts(surroundings: Surroundings, { looks }: { looks: number }): Promise<PreflightFacts> {
  const at = new Date().toISOString()
  await using session = await surroundings.session()
  const server = await readServerFacts(session)
  const { where, warnings } = surroundings
  const known = { where, warnings, at, server }
  if (server.isInRecovery) {
    const unknown = 'the server is in recovery'
    return {
      ...known,
      looks: [],
      progress: undefined,
      lag: undefined,
      archive: { unknown },
      walSpace: { unknown },
    }
  }
  const access = surroundings.archive(server.segmentSizeBytes)
  const seen = access && (await lookInto(access, server, looks, session).catch(unlessUnlisted))
  const dataDirectory = server.settings.find(({ name }) => name === 'data_directory')?.setting
  const walSpace = dataDirectory
    ? await surroundings.walSpace(dataDirectory, server.systemIdentifier)
    : { unknown: 'this role may not see where the data directory is' }
  if (seen && 'archive' in seen) return { ...known, ...seen, walSpace }
  const samples = await observe(() => lookWithoutArchive(session, server.segmentSizeBytes), looks)
  const progress = await readServerProgress(session)
  return { ...known, looks: samples, progress, lag: undefined, archive: seen ?? { unknown: NO_ARCHIVE }, walSpace }
}

/** An archive that cannot be looked at does not keep anybody from looking at the server. */
function unlessUnlisted(error: unknown): Unknown {
  if (error instanceof CannotRun) return { unknown: error.message }
  // The operating system names the file of it; of a connection, it has none.
  const { path, message } = error as NodeJS.ErrnoException
  if (path !== undefined) return { unknown: `a file of the archive cannot be read (${redact(message)})` }
  throw error
}

async function lookInto(
  access: ArchiveAccess,
  server: ServerFacts,
  looks: number,
  session: Session,
): Promise<Pick<PreflightFacts, 'looks' | 'progress' | 'lag'> & { archive: ArchiveFacts }> {
  const observer = new ArchivingObserver({ session: async () => session }, [access.archive])
  const samples = await observe(() => observer.lookThrough(session), looks)
  const last = samples.at(-1)
  if (!last) throw new RangeError('nobody has looked')
  const archive = await readArchive(access, server, last, session)
  const lag = isOfAnother(archive, server) ? undefined : lagOf(last.progress, last.listing)
  return { looks: samples, progress: last.progress, lag, archive }
}

export const NO_ARCHIVE =
  'no archive is named: set PREFLIGHT_ARCHIVE, PREFLIGHT_ARCHIVE_IN_SERVICE or PREFLIGHT_ARCHIVE_LIST_COMMAND'

/** As far as its newest segment tells. */
export function isOfAnother(
  archive: Pick<ArchiveFacts, 'systemIdentifier'>,
  server: Pick<ServerFacts, 'systemIdentifier'>,
): boolean {
  return archive.systemIdentifier !== undefined && archive.systemIdentifier !== server.systemIdentifier
}

/** At least once. */
async function observe(look: () => Promise<ArchivingSample>, looks: number): Promise<ArchivingSample[]> {
  const samples = [await look()]
  while (samples.length < looks) {
    await delay(LOOK_EVERY_MS)
    samples.push(await look())
  }
  return samples
}

/** The server's word alone: what it says it has archived is not looked for. */
async function lookWithoutArchive(session: Session, segmentSizeBytes: number): Promise<ArchivingSample> {
  const progress = await readServerProgress(session)
  return {
    at: new Date().toISOString(),
    atSeconds: performance.now() / 1000,
    progress: { ...progress, lastArchived: undefined },
    ...(await readServerArchiving(session, segmentSizeBytes)),
    listing: ArchiveListing.of([], segmentSizeBytes),
    histories: new Map(),
    damagedHistories: [],
    complaint: undefined,
  }
}

async function readArchive(
  { archive, space }: ArchiveAccess,
  { systemIdentifier }: ServerFacts,
  look: ArchivingSample,
  session: Session,
): Promise<ArchiveFacts> {
  const { listing } = look
  const stored = await findStoredSegments([archive])
  const backups = new ArchivedBackups(archive, listing)
  const auditor = new ArchiveAuditor([archive], { systemIdentifier })
  const identifier = archive.reach === 'names' ? undefined : await identifierOf(stored)
  const found = isOfAnother({ systemIdentifier: identifier }, { systemIdentifier })
    ? { usable: undefined, broken: undefined }
    : await auditBackups(backups, backup => audit(auditor, backup, look))
  const newest = await backups.newest()
  const newestStoppedAt = newest?.history && (await momentOf(session, newest.history.stopTime))
  const way = found.usable ?? found.broken
  const window = way && (await windowOf(way, { archive, stored, systemIdentifier, session }))
  return {
    where: archive.path,
    reach: archive.reach,
    listing,
    systemIdentifier: identifier,
    backups: { count: backups.count, newest, newestStoppedAt, unreadable: backups.unreadable },
    ...found,
    window,
    space: await space(),
  }
}

/** @returns none where recovery from that backup would not find its way to where the server is. */
async function audit(
  auditor: ArchiveAuditor,
  backup: ArchivedBackup,
  { listing, histories, damagedHistories, progress, ready }: ArchivingSample,
): Promise<ArchiveAudit | undefined> {
  try {
    const server = { ...progress, ready }
    return await auditor.audit({ listing, histories, damagedHistories, backup, target: 'latest', server })
  } catch (error) {
    if (error instanceof Failure && /^timeline-/.test(error.kind)) return undefined
    throw error
  }
}

/** From the oldest on, exported for its test; of those that begin before a gap's end there is no way past it. */
export async function auditBackups(
  backups: Pick<ArchivedBackups, 'newest' | 'since'>,
  judge: (backup: ArchivedBackup) => Promise<ArchiveAudit | undefined>,
): Promise<Pick<ArchiveFacts, 'usable' | 'broken'>> {
  let from = Lsn.zero
  let broken: BackupAudit | undefined
  for await (const backup of backups.since(() => from)) {
    const audit = await judge(backup)
    if (!audit) continue
    if (isWhole(audit)) return { usable: { backup, audit }, broken }
    broken ??= { backup, audit }
    const lastGap = audit.gaps.findLast(({ placement }) => placement !== 'before-backup')
    from = lastGap?.range.last.end ?? from
  }
  // What stands between the newest and now is what matters then.
  const newest = await backups.newest()
  const audit = newest && (await judge(newest))
  if (!newest || !audit) return { usable: undefined, broken }
  const before = broken?.audit.gaps.findLast(
    ({ placement, range }) => placement !== 'before-backup' && range.last.end.isAtOrBefore(newest.startLsn),
  )
  return { usable: undefined, broken: await oldestThatReaches(audit, before?.range.last.end ?? Lsn.zero) }

  /** Several may end at the same gap: from the first of them on, one can come back to any moment before it. */
  async function oldestThatReaches({ recoverableTo }: ArchiveAudit, start: Lsn): Promise<BackupAudit | undefined> {
    for await (const backup of backups.since(() => start)) {
      const audit = await judge(backup)
      if (audit && String(audit.recoverableTo) === String(recoverableTo)) return { backup, audit }
    }
    return undefined
  }
}

function isWhole({ gaps, lostHistories }: ArchiveAudit): boolean {
  return gaps.every(({ placement }) => placement === 'before-backup') && lostHistories.length === 0
}

async function windowOf(
  { backup, audit }: BackupAudit,
  {
    archive,
    stored,
    systemIdentifier,
    session,
  }: {
    archive: ReadableArchive
    stored: ReadonlyMap<string, StoredSegment>
    systemIdentifier: string
    session: Session
  },
): Promise<RecoveryWindow | undefined> {
  const { recoverableTo: toLsn } = audit
  if (!toLsn) return undefined
  if (archive.reach === 'names')
    return { backup, from: undefined, to: undefined, lastCommit: undefined, toLsn, damages: [] }
  const way = storedWay(audit, backup, stored).filter(({ segment }) => segment.end.isAtOrBefore(toLsn))
  return await findRecoveryWindow(backup, {
    way,
    toLsn,
    systemIdentifier,
    isFetched: archive.reach === 'whole',
    session,
  })
}

/** Of the newest segment, as that says it. */
async function identifierOf(stored: ReadonlyMap<string, StoredSegment>): Promise<string | undefined> {
  const name = [...stored.keys()].reduce((newest, one) => (one > newest ? one : newest), '')
  const head = await stored.get(name)?.readHead()
  return Buffer.isBuffer(head) ? readSegmentHeader(head)?.systemIdentifier : undefined
}
