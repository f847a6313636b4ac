import type { Readable } from 'node:stream'
import { CannotRun } from '../failure.ts'

export interface VolumeFile {
  /** Relative to the volume, with `/`. */
  path: string
  sizeBytes: number
}

/** What lies right in a folder. A symbolic link that stays within the folder counts as what it leads to. */
export interface VolumeEntry extends VolumeFile {
  /**
   * - `link`: a symbolic link that leads out of the folder, or nowhere
   * - `special`: a pipe, a socket, a device
   */
  kind: 'file' | 'folder' | 'link' | 'special'
  /**
   * Of a file: another one once it was written to, or another file took its name. Tells no more than that. Two writes within a second
   * may pass for one in a container.
   */
  version: string
}

/**
 * A place for files that servers see: a WAL archive, a store of base backups, a data directory. A folder on the embedded
 * runtime, a volume of its own on Docker, where the daemon may be on another machine: so nothing here takes a local path.
 * All paths are relative to the volume; what is written belongs to the operating system user that PostgreSQL runs as.
 */
export interface Volume {
  readonly name: string
  /** Where the servers that mount it find it. */
  readonly path: string
  /** More than this it does not hold; undefined: as much as there is room for where it lies. */
  readonly sizeBytes?: number | undefined
  /** Makes it, empty. */
  create(): Promise<void>
  /** Every regular file below `folder` (default: all), symbolic links followed; an unknown folder is empty. Sorted by path. */
  list(folder?: string): Promise<VolumeFile[]>
  /**
   * All that lies right in `folder`, with paths relative to it; none but files have a size and a version. Sorted by path.
   * @throws {CannotRun} when there is no such folder, or it cannot be read.
   */
  entries(folder: string): Promise<VolumeEntry[]>
  /** SHA-256 in lower-case hexadecimal of every regular file below `folder`, by path relative to `folder`, symbolic links followed. */
  hash(folder?: string): Promise<Map<string, string>>
  /**
   * @param into memory to be used again; of a longer file no more is read than it takes. Default: new memory, for all of it.
   * @returns what was read, in there.
   * @throws when there is no such file.
   */
  read(file: string, into?: Buffer): Promise<Buffer>
  /** Creates or replaces, atomically. */
  write(file: string, content: Buffer | string): Promise<void>
  /** A file or a whole folder; nothing happens where there is none. */
  remove(path: string): Promise<void>
  /** Within the volume, atomically; folders that lead to `to` are made. */
  rename(from: string, to: string): Promise<void>
  /**
   * Unpacks a stream of tar into a new folder. Not one byte is kept besides. The caller has refused members that would
   * leave the folder. When the stream fails, the error is thrown and what was unpacked stays for the caller to remove.
   */
  unpack(tar: Readable, folder: string): Promise<void>
  /** Removes it with all it holds. */
  destroy(): Promise<void>
}

/** For `sort`. */
export function byPath(a: VolumeFile, b: VolumeFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

export function noFolder(absolute: string, options?: ErrorOptions): CannotRun {
  return new CannotRun(`there is no folder ${absolute}: correct the path, or mount what should be there`, options)
}

/** @param why as the operating system says. */
export function unreadableFolder(absolute: string, why: string, options?: ErrorOptions): CannotRun {
  return new CannotRun(
    `the folder ${absolute} cannot be listed (${why}): let the user who looks read and enter it`,
    options,
  )
}
