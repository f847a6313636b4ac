import { statSync } from 'node:fs'
import { ReadableArchive } from '../archive/readable-archive.ts'
import { CannotRun } from '../failure.ts'
import type { Volume, VolumeEntry } from '../runtime/volume.ts'

/** A user's own WAL archive: a folder somewhere, which is only read. */
export class FolderArchive extends ReadableArchive {
  constructor(
    private readonly folder: Pick<Volume, 'path' | 'entries' | 'read'>,
    segmentSizeBytes: number,
  ) {
    super(segmentSizeBytes)
  }

  get path(): string {
    return this.folder.path
  }

  async files(): Promise<VolumeEntry[]> {
    if (isFile(this.path)) throw new CannotRun(`${this.path} is not a folder: name the one that the segments lie in`)
    return await this.folder.entries('')
  }

  read(name: string, into?: Buffer): Promise<Buffer> {
    return this.folder.read(name, into)
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    // Why not is told when it is listed.
    return false
  }
}
