import type { WalSource } from '../../archive/wal-source.ts'
import { WalSegment } from '../../postgres/wal-segment.ts'
import { type BackupEnd, parseBackupEnd } from '../backup-label.ts'
import type { UserBackup } from './user-backup.ts'

/**
 * The backup, with what the history file that PostgreSQL archived for it says of its end: where it has no manifest, nobody else
 * knows it.
 * @throws what the source throws.
 */
export async function withBackupEnd(backup: UserBackup, source: WalSource): Promise<UserBackup> {
  const { timeline, startLsn, segmentSizeBytes } = backup
  const segment = WalSegment.containing(startLsn, timeline, segmentSizeBytes)
  const offset = Number(startLsn.bytes - segment.start.bytes)
  const name = `${segment.name}.${offset.toString(16).toUpperCase().padStart(8, '0')}.backup`
  const text = await source.fetch(name)
  const end: Partial<BackupEnd> = (text && parseBackupEnd(text.toString('utf8'))) ?? {}
  return { ...backup, stopLsn: backup.stopLsn ?? end.stopLsn, stoppedAt: backup.stoppedAt ?? end.stoppedAt }
}
