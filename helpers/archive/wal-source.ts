/** Where a user's WAL comes from. It is only read. */
export interface WalSource {
  /** As the user gave it, without secrets. */
  readonly where: string
  /** A file by PostgreSQL's name for it, unpacked; undefined where there is none. @throws {CannotRun} when that cannot be told. */
  fetch(name: string): Promise<Buffer | undefined>
  /** All names, unpacked ones; only of a source that can be listed. */
  names?(): Promise<string[]>
}

/** @throws {CannotRun} when it is no folder that can be read. */
export async function walFolder(folder: string): Promise<WalSource> {
  throw new Error(`not yet: ${folder}`)
}

/** @param scratch a folder for the files that it fetches, empty, and the caller's to remove. */
export function walCommand(restoreCommand: string, scratch: string, secrets?: readonly string[]): WalSource {
  throw new Error(`not yet: ${restoreCommand} ${scratch} ${secrets?.length}`)
}
