import type { WalArchive } from '../archive/wal-archive.ts'
import { Failure } from '../failure.ts'
import type { Volume } from '../runtime/volume.ts'
import type { BaseBackup } from './base-backup.ts'
import { findRequiredWal } from './wal-ranges.ts'

/**
 * Lays the WAL that a backup cannot become consistent without into its restored `pg_wal`, as `pg_basebackup -X fetch` leaves it:
 * a server then starts from it with no archive in reach, and nothing of what came after the backup.
 * @throws {Failure} `backup-wal-missing` when the archive lacks some of it.
 */
export async function layRequiredWal(data: Volume, backup: BaseBackup, archive: WalArchive): Promise<void> {
  const { required } = findRequiredWal(backup.manifest, await archive.list())
  for (const { name } of required) {
    const content = await archive.find(name)
    if (!content) throw new Failure('backup-wal-missing', `the archive lacks ${name}, which backup ${backup.id} needs`)
    await data.write(`pg_wal/${name}`, content)
  }
}
