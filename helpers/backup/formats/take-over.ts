import type { PostgresNode } from '../../runtime/postgres-node.ts'
import type { UserBackup } from './user-backup.ts'

/** A file or setting of the backup that the restored server does without. */
export interface Neutralised {
  what: string
  why: string
}

/**
 * Makes an unpacked data directory, once it has been checked, one of the drill's own: no configuration, access or signal file of
 * the backup is left in it, and the limits are those of the control file. `node.connection` is then as a superuser of the backup.
 * @param user a superuser of the original server. Default: the one that initdb made, by the name that it has in the backup.
 */
export async function neutralise(node: PostgresNode, backup: UserBackup, user?: string): Promise<Neutralised[]> {
  throw new Error(`not yet: ${node.name} ${backup.where} ${user}`)
}
