import { openLayout } from './open-layout.ts'
import { openRepository } from './pgbackrest.ts'
import { recogniseBackup } from './recognise.ts'
import type { UserBackup } from './user-backup.ts'

export interface OpenOptions {
  /** Of a pgBackRest repository. Default: the only one there is. */
  stanza?: string
  /** For a backup that its own tool has to restore first: an empty folder with room for it, and the caller's to remove. */
  scratch: string
}

/**
 * Looks through a user's backup, which is only read. A tar is read to its end once: its control file comes last.
 * @throws {CannotRun} for whatever is no base backup that can be restored here, in a sentence that says what it is.
 * @throws {Failure} for one that is damaged: `backup-truncated`, `backup-unsafe`, `backup-mixed`, `backup-damaged`, `control-file-damaged`,
 *   `backup-label-damaged`, `tablespace-map-damaged`, `manifest-damaged`.
 */
export async function openUserBackup(where: string, options: OpenOptions): Promise<UserBackup> {
  const layout = await recogniseBackup(where)
  return layout === 'pgbackrest' ? await openRepository(where, options) : await openLayout(where, layout, layout.format)
}
