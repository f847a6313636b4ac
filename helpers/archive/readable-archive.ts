import { CannotRun } from '../failure.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES } from '../postgres/wal-segment.ts'
import type { VolumeEntry } from '../runtime/volume.ts'
import { type Compression, decompress, splitCompression } from './compression.ts'
import { ArchiveListing } from './listing.ts'

const COMPRESSIONS: readonly Compression[] = ['gz', 'zst']

/** A WAL archive as its readers see it: a flat folder of files, wherever it is. Nothing here writes to it. */
export abstract class ReadableArchive {
  constructor(readonly segmentSizeBytes: number = DEFAULT_SEGMENT_SIZE_BYTES) {}

  /**
   * What of its files can be looked at:
   * - `beginnings`: any part, so that of each segment the first page is read
   * - `whole`: each costs all of it, so that only few are read
   * - `names`: nothing
   */
  get reach(): 'beginnings' | 'whole' | 'names' {
    return 'beginnings'
  }

  /** Where it is, for people. */
  abstract readonly path: string

  /**
   * All that lies right in the archive, with paths relative to it.
   * @throws {CannotRun} when it is not there, or cannot be read.
   */
  abstract files(): Promise<VolumeEntry[]>

  /**
   * A file of the archive, such as a timeline's history, as it is stored.
   * @param into as of `Volume.read`.
   * @throws when there is none of that name.
   */
  abstract read(name: string, into?: Buffer): Promise<Buffer>

  /** @throws {CannotRun} when it is not there, or cannot be read. */
  async list(): Promise<ArchiveListing> {
    return ArchiveListing.of(await this.files(), this.segmentSizeBytes)
  }

  /** @throws {CannotRun} when a server's segments have another size: what it archives would all be taken for damaged. */
  assertTakes(server: { segmentSizeBytes: number }): void {
    if (server.segmentSizeBytes === this.segmentSizeBytes) return
    throw new CannotRun(
      `the server's WAL segments have ${server.segmentSizeBytes} bytes, those of the archive ${this.path} ${this.segmentSizeBytes}: name the archive of this server`,
    )
  }

  /** A file by PostgreSQL's name for it, unpacked; undefined where there is none, and empty where it is cut off. */
  async find(name: string): Promise<Buffer | undefined> {
    const stored = await this.storedAs(name)
    if (stored === undefined) return undefined
    const { compression } = splitCompression(stored)
    const content = await this.read(stored)
    return compression === undefined ? content : ((await decompress(content, compression)) ?? Buffer.alloc(0))
  }

  /** The name of the file that has it, compressed or not; the plain one where there are several. */
  protected async storedAs(name: string): Promise<string | undefined> {
    const files = new Set((await this.files()).flatMap(({ path, kind }) => (kind === 'file' ? [path] : [])))
    const names = [name, ...COMPRESSIONS.map(compression => `${name}.${compression}`)]
    return names.find(one => files.has(one))
  }
}
