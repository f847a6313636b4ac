import { mkdtempSync } from 'node:fs'
import path from 'node:path'
import { type WalSource, walCommand, walFolder } from '../archive/wal-source.ts'
import { openUserBackup } from '../backup/formats/open.ts'
import type { UserBackup } from '../backup/formats/user-backup.ts'
import { secretsOf } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import { beforePageHeader } from '../postgres/wal-page.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { type LiveSnapshot, readSnapshotFile } from '../readiness/snapshot-file.ts'
import { describeTarget, type RecoveryTarget } from '../recovery/recovery-target.ts'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import type { RestoreConfig } from './restore-config.ts'
import { readSqlChecks, type SqlCheck } from './sql-checks.ts'

/** What a restore was asked for, all of it opened, and nothing of it copied. */
export interface RestoreRequest {
  backup: UserBackup
  /** That the user has named, or else the archive that the backup was found with. Undefined: the backup's own WAL alone. */
  source: WalSource | undefined
  target: RecoveryTarget
  /** Its LSNs are where records end, as those of recovery are. */
  snapshot: LiveSnapshot | undefined
  checks: readonly SqlCheck[]
}

/**
 * Opens all that the restore is made from. Everything is only read.
 * @param directory a folder of the caller's, who removes it with what is put there.
 * @throws {CannotRun} for what cannot be restored, or cannot be gone back to, as far as that can be told without the archive.
 */
export async function openRestore(config: RestoreConfig, directory: string): Promise<RestoreRequest> {
  const scratch = () => mkdtempSync(path.join(directory, 'scratch-'))
  const { stanza } = config
  const backup = await openUserBackup(config.backup, {
    scratch: scratch(),
    ...(stanza === undefined ? {} : { stanza }),
  })
  const snapshot =
    config.snapshot === undefined
      ? undefined
      : atRecordEnds(await readSnapshotFile(config.snapshot), backup.segmentSizeBytes)
  const request = {
    backup,
    source: await openSource(config, backup, scratch),
    target: targetOf(config.target, snapshot),
    snapshot,
    checks: config.checks === undefined ? [] : readSqlChecks(config.checks),
  }
  refuseOtherCluster(request)
  refuseOutOfReach(request, new Date().toISOString())
  return request
}

async function openSource(
  config: RestoreConfig,
  backup: UserBackup,
  scratch: () => string,
): Promise<WalSource | undefined> {
  const { wal } = config
  if (wal === undefined) return backup.archive
  const { startLsn, timeline, segmentSizeBytes } = backup
  const restartPoint = WalSegment.containing(startLsn, timeline, segmentSizeBytes).name
  return 'folder' in wal
    ? await walFolder(wal.folder)
    : walCommand(wal.command, { scratch: scratch(), restartPoint, secrets: secretsOf(config) })
}

/** Exported for its test. */
export function atRecordEnds<Moment extends Pick<LiveSnapshot, 'fromLsn' | 'toLsn'>>(
  snapshot: Moment,
  segmentSizeBytes: number,
): Moment {
  const { fromLsn, toLsn } = snapshot
  return {
    ...snapshot,
    fromLsn: beforePageHeader(fromLsn, segmentSizeBytes),
    toLsn: beforePageHeader(toLsn, segmentSizeBytes),
  }
}

/**
 * The moment of a snapshot lies between its two LSNs: up to the second every commit that it can show is replayed. Of an exact one
 * they are the same.
 */
function targetOf(target: RestoreConfig['target'], snapshot: LiveSnapshot | undefined): RecoveryTarget {
  if (target.kind !== 'snapshot') return target
  if (!snapshot) throw new CannotRun('the target is a snapshot, and there is none: set RESTORE_SNAPSHOT to its file')
  return { kind: 'lsn', lsn: snapshot.toLsn, inclusive: false }
}

function refuseOtherCluster({ backup, snapshot }: RestoreRequest): void {
  if (snapshot && snapshot.systemIdentifier !== backup.systemIdentifier)
    throw new CannotRun(
      `the snapshot is of the cluster ${snapshot.systemIdentifier}, and the backup ${backup.where} of ${backup.systemIdentifier}: name a snapshot and a backup of one server`,
    )
}

/** Exported for its test. @throws {CannotRun} for a target that no archive could bring this backup to. */
export function refuseOutOfReach(
  {
    backup,
    target,
    snapshot,
  }: Pick<RestoreRequest, 'target' | 'snapshot'> & {
    backup: Pick<UserBackup, 'where' | 'startLsn' | 'stopLsn' | 'stoppedAt'>
  },
  now: string,
): void {
  const end = backup.stopLsn ?? backup.startLsn
  if (snapshot?.toLsn.isBefore(end))
    throw new CannotRun(
      `the snapshot was taken at ${snapshot.toLsn}, before the backup ${backup.where} ended at ${end}, and cannot be compared with it: take a snapshot after the backup, or restore an older backup`,
    )
  if (target.kind === 'lsn' && target.lsn.isBefore(end)) throw beforeBackup(backup, target, end.toString())
  if (target.kind !== 'time') return
  const time = serverTimeMicroseconds(target.time)
  if (backup.stoppedAt !== undefined && time < serverTimeMicroseconds(backup.stoppedAt))
    throw beforeBackup(backup, target, backup.stoppedAt)
  if (time > serverTimeMicroseconds(now))
    throw new CannotRun(`${describeTarget(target)} lies in the future: it is ${now}. Name a time that has been`)
}

function beforeBackup({ where }: Pick<UserBackup, 'where'>, target: RecoveryTarget, end: string): CannotRun {
  return new CannotRun(
    `${describeTarget(target)} lies before the end of the backup ${where} at ${end}, and no recovery from it comes to a moment before that: name a later target, or an older backup`,
  )
}
