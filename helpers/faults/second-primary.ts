import type { WalArchive } from '../archive/wal-archive.ts'
import type { BaseBackup } from '../backup/base-backup.ts'
import { layRequiredWal } from '../backup/own-wal.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/**
 * Starts a backup as `pg_basebackup` leaves it, beside the server that it was taken of: with no recovery.signal and with the settings
 * that it came with. It recovers to the backup's end as from a crash and writes on from there, with the system identifier and on the
 * timeline of the other, and gives its segments the same names.
 * @param node with nothing in it, within reach of the store of backups and, for writing, of the archive.
 * @see PostgreSQL source, `InitWalRecovery` in `src/backend/access/transam/xlogrecovery.c`
 */
export async function startSecondPrimary(node: PostgresNode, backup: BaseBackup, archive: WalArchive): Promise<void> {
  await node.initFrom(backup)
  await layRequiredWal(node.data, backup, archive)
  await node.start()
}
