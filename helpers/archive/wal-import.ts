import type { UserBackup } from '../backup/formats/user-backup.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { WalArchive } from './wal-archive.ts'
import type { WalSource } from './wal-source.ts'

export interface WalImport {
  segments: number
  histories: number
  bytes: number
  seconds: number
  /** Asked of the source and not there, before others that are. */
  holes: string[]
}

export interface ImportPlan {
  backup: Pick<UserBackup, 'timeline' | 'startLsn' | 'segmentSizeBytes' | 'ownWal'>
  /** WAL beyond the segment that holds this byte is not copied. Default: all there is. */
  upTo?: Lsn
  timeline: 'latest' | 'current' | number
}

/** Copies what a recovery from the backup would ask for into an archive of ours, unpacked. `undefined`: the backup's own WAL alone. */
export async function importWal(
  source: WalSource | undefined,
  archive: WalArchive,
  plan: ImportPlan,
): Promise<WalImport> {
  throw new Error(`not yet: ${source?.where} ${archive.path} ${plan.timeline}`)
}
