import type { UserBackup } from './user-backup.ts'

export interface OpenOptions {
  /** Of a pgBackRest repository. Default: the only one there is. */
  stanza?: string
  /** For programs that need one: empty, and the caller's to remove. */
  scratch: string
}

/** @throws {CannotRun} for whatever is no base backup that can be restored here, in a sentence that says what it is. */
export async function openUserBackup(where: string, options: OpenOptions): Promise<UserBackup> {
  throw new Error(`not yet: ${where} ${options.scratch}`)
}
