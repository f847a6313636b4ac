import { ReadableArchive } from '../archive/readable-archive.ts'
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

  files(): Promise<VolumeEntry[]> {
    return this.folder.entries('')
  }

  read(name: string, into?: Buffer): Promise<Buffer> {
    return this.folder.read(name, into)
  }
}
