import { WalDamage } from '../postgres/wal-damage.ts'
import { findSizeDamage, PAGE_BYTES, SEGMENT_HEADER_BYTES } from '../postgres/wal-page.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { VolumeEntry } from '../runtime/volume.ts'
import { classifyArchiveFile } from './archive-file.ts'
import { BEGINNING_BYTES, type Compression, decompress, decompressBeginning } from './compression.ts'
import type { ReadableArchive } from './readable-archive.ts'

/**
 * What is read of a segment, unpacked; or why it is not:
 * - a damage: the file alone shows it
 * - `gone`: the file is no longer there, or another one has taken its place
 */
export type SegmentBytes = Buffer | WalDamage | 'gone'

/** The file that recovery takes for a segment. */
export class StoredSegment {
  constructor(
    readonly segment: WalSegment,
    private readonly archive: ReadableArchive,
    private readonly file: VolumeEntry,
    private readonly compression: Compression | undefined,
  ) {}

  /** Another one once the file is another, in whatever archive. */
  get version(): string {
    return `${this.archive.path}/${this.file.path} ${this.file.sizeBytes} ${this.file.version}`
  }

  /**
   * At least as much as tells what segment it is. No more than a page is read, or than a compressed one has to be unpacked from, so that
   * its size is not known.
   */
  async readHead(): Promise<SegmentBytes> {
    const { compression } = this
    const wantedBytes = compression ? BEGINNING_BYTES[compression] : PAGE_BYTES
    return await this.#read(Buffer.allocUnsafe(wantedBytes), async stored => {
      const head = compression ? await decompressBeginning(stored, compression) : stored
      return head && head.length >= SEGMENT_HEADER_BYTES ? head : this.#notUnpacked()
    })
  }

  /** All of it, and of the right size. @param into memory for a segment, which is used where nothing has to be unpacked. */
  async read(into: Buffer): Promise<SegmentBytes> {
    const { compression, segment } = this
    return await this.#read(compression ? undefined : into, async stored => {
      const bytes = compression ? await decompress(stored, compression) : stored
      if (!bytes) return this.#notUnpacked()
      return findSizeDamage(segment, bytes.length) ?? bytes
    })
  }

  async #read(
    into: Buffer | undefined,
    unpack: (stored: Buffer) => Promise<Buffer | WalDamage>,
  ): Promise<SegmentBytes> {
    try {
      return await unpack(await this.archive.read(this.file.path, into))
    } catch (error) {
      const isThere = (await this.archive.files()).some(
        ({ path, version }) => path === this.file.path && version === this.file.version,
      )
      if (isThere) throw error
      return 'gone'
    }
  }

  #notUnpacked(): WalDamage {
    const what = `the file cannot be unpacked: it is cut off, or not in the format that its name says`
    return new WalDamage('not-unpacked', this.segment, this.segment.start, what)
  }
}

/**
 * All segments that have the right size, by name, as far as that can be told: of several files the one that decides in a listing
 * too. What has another size is damaged whatever it holds.
 * @param archives in the order in which recovery looks into them.
 */
export async function findStoredSegments(archives: readonly ReadableArchive[]): Promise<Map<string, StoredSegment>> {
  const decisive = new Map<string, { stored: StoredSegment; isCompressed: boolean; isWhole: boolean }>()
  for (const archive of archives) {
    for (const entry of await archive.files()) {
      if (entry.kind !== 'file') continue
      const file = classifyArchiveFile(entry.path, archive.segmentSizeBytes)
      if (file.kind !== 'segment') continue
      const isCompressed = file.compression !== undefined
      const isWhole = isCompressed ? entry.sizeBytes > 0 : entry.sizeBytes === archive.segmentSizeBytes
      const { name } = file.segment
      const known = decisive.get(name)
      if (known && !(known.isCompressed && (!isCompressed || (isWhole && !known.isWhole)))) continue
      const stored = new StoredSegment(file.segment, archive, entry, file.compression)
      decisive.set(name, { stored, isCompressed, isWhole })
    }
  }
  return new Map([...decisive].flatMap(([name, { stored, isWhole }]) => (isWhole ? [[name, stored]] : [])))
}
