import { setTimeout as delay } from 'node:timers/promises'
import { ArchiveAuditor, storedWay } from '../archive/archive-auditor.ts'
import { ArchivingObserver } from '../archive/archiving-observer.ts'
import { type ArchivingSample, readServerArchiving } from '../archive/archiving-sample.ts'
import type { ArchiveAudit } from '../archive/audit.ts'
import { ArchiveListing } from '../archive/listing.ts'
import type { ReadableArchive } from '../archive/readable-archive.ts'
import { readServerProgress, type ServerProgress } from '../archive/server-progress.ts'
import { findStoredSegments, type StoredSegment } from '../archive/stored-segments.ts'
import { Failure } from '../failure.ts'
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
export interface BackupAudit {
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
 * @throws what the server throws; {CannotRun} when the archive cannot be listed.
 */
export async function gatherFacts(surroundings: Surroundings, { looks }: { looks: number }): Promise<PreflightFacts> {
  const at = new Date().toISOString()
  await using session = await surroundings.session()
  const server = await readServerFacts(session)
  const { where } = surroundings
  const known = { where, at, server }
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
  const samples = await observe(session, access?.archive, looks, server.segmentSizeBytes)
  const [last] = samples.slice(-1)
  const progress = access ? last?.progress : await readServerProgress(session)
  const dataDirectory = server.settings.find(({ name }) => name === 'data_directory')?.setting
  const walSpace = dataDirectory
    ? await surroundings.walSpace(dataDirectory, server.systemIdentifier)
    : { unknown: 'this role may not see where the data directory is' }
  if (!access || !last || !progress)
    return { ...known, looks: samples, progress, lag: undefined, archive: { unknown: NO_ARCHIVE }, walSpace }
  const archive = await readArchive(access, server, last, session)
  return { ...known, looks: samples, progress, lag: lagOf(progress, last.listing), archive, walSpace }
}

export const NO_ARCHIVE =
  'no archive is named: set PREFLIGHT_ARCHIVE, PREFLIGHT_ARCHIVE_IN_SERVICE or PREFLIGHT_ARCHIVE_LIST_COMMAND'

async function observe(
  session: Session,
  archive: ReadableArchive | undefined,
  looks: number,
  segmentSizeBytes: number,
): Promise<ArchivingSample[]> {
  const observer = archive && new ArchivingObserver({ session: async () => session }, [archive])
  const samples: ArchivingSample[] = []
  while (samples.length < Math.max(1, looks)) {
    if (samples.length > 0) await delay(LOOK_EVERY_MS)
    samples.push(observer ? await observer.lookThrough(session) : await lookWithoutArchive(session, segmentSizeBytes))
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
  const found = await auditBackups(backups, backup => audit(auditor, backup, look))
  const newest = await backups.newest()
  const newestStoppedAt = newest?.history && (await momentOf(session, newest.history.stopTime))
  const way = found.usable ?? found.broken
  const window = way && (await windowOf(way, { archive, stored, systemIdentifier, session }))
  return {
    where: archive.path,
    reach: archive.reach,
    listing,
    systemIdentifier: archive.reach === 'names' ? undefined : await identifierOf(stored),
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

/** From the oldest on; of those that begin before a gap's end there is no way past it. */
async function auditBackups(
  backups: ArchivedBackups,
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
  return { usable: undefined, broken: newest && audit ? { backup: newest, audit } : broken }
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
