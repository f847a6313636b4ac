import { CannotRun } from '../failure.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES, type WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import type { Volume, VolumeEntry } from '../runtime/volume.ts'
import { waitFor } from '../wait.ts'
import { archiveOddities } from './archive-oddities.ts'
import { lastArchiverComplaint } from './archiver-log.ts'
import { type Compression, decompress, isWhole, splitCompression } from './compression.ts'
import { ArchiveListing } from './listing.ts'

const FOLDER = 'wal'
const COMPRESSIONS: readonly Compression[] = ['gz', 'zst']

/** SHA-256 of every file of an archive, by name. */
export type Fingerprint = ReadonlyMap<string, string>

/** A WAL archive: the folder `wal/` of a volume, which outlives every server. What a drill takes out of it stays on the volume. */
export class WalArchive {
  constructor(
    readonly volume: Volume,
    readonly segmentSizeBytes: number = DEFAULT_SEGMENT_SIZE_BYTES,
  ) {}

  /** Where the servers find it: what `{archive}` stands for in their commands. */
  get path(): string {
    return `${this.volume.path}/${FOLDER}`
  }

  /** Makes the volume and the empty archive on it, which the server's operating system user may write to. */
  async create(): Promise<void> {
    await this.volume.create()
    // A volume makes folders for what is written into them: so one is written and removed.
    await this.volume.write(`${FOLDER}/new`, '')
    await this.volume.remove(`${FOLDER}/new`)
  }

  /** @throws {CannotRun} when it is not there, or cannot be read. */
  async list(): Promise<ArchiveListing> {
    return ArchiveListing.of(await this.files(), this.segmentSizeBytes)
  }

  /** All that lies right in the archive, with paths relative to it. @throws {CannotRun} when it is not there, or cannot be read. */
  files(): Promise<VolumeEntry[]> {
    return this.volume.entries(FOLDER)
  }

  /** @throws {CannotRun} when a server's segments have another size: what it archives would all be taken for damaged. */
  assertTakes(server: { segmentSizeBytes: number }): void {
    if (server.segmentSizeBytes === this.segmentSizeBytes) return
    throw new CannotRun(
      `the server's WAL segments have ${server.segmentSizeBytes} bytes, those of the archive ${this.path} ${this.segmentSizeBytes}: name the archive of this server`,
    )
  }

  /**
   * A file of the archive, such as a timeline's history, as it is stored.
   * @param into as of `Volume.read`.
   * @throws when there is none of that name.
   */
  read(name: string, into?: Buffer): Promise<Buffer> {
    return this.volume.read(`${FOLDER}/${name}`, into)
  }

  /** Creates or replaces a file of the archive: for what comes from another one. */
  store(name: string, content: Buffer): Promise<void> {
    return this.volume.write(`${FOLDER}/${name}`, content)
  }

  /** A file by PostgreSQL's name for it, unpacked; undefined where there is none, and empty where it is cut off. */
  async find(name: string): Promise<Buffer | undefined> {
    const stored = await this.#storedAs(name)
    if (stored === undefined) return undefined
    const { compression } = splitCompression(stored)
    const content = await this.read(stored)
    return compression === undefined ? content : ((await decompress(content, compression)) ?? Buffer.alloc(0))
  }

  /**
   * Until `segment` stands in the archive whole: a plain `cp` shows a short file while it copies, and so does a compressor,
   * whose file must be opened to tell.
   * @param archiving the server that archives it.
   * @throws {Failure} `deadline-passed`, naming the last segment of that timeline that was there, and why the archiver failed.
   */
  async waitFor(segment: WalSegment, archiving: Pick<PostgresNode, 'log'>): Promise<void> {
    let listing: ArchiveListing | undefined
    await waitFor(
      `segment ${segment} to stand in the archive`,
      'segmentArchived',
      async () => {
        listing = await this.list()
        if (!listing.segments.get(segment.timeline)?.some(one => one.number === segment.number)) return undefined
        return (await this.#isStoredToItsEnd(segment)) || undefined
      },
      () => {
        const complaint = lastArchiverComplaint(archiving.log.since())
        return `${this.#lastOf(segment, listing)}${complaint ? `; the archiver says: ${complaint}` : ''}`
      },
    )
  }

  /** Taken before and after a recovery, it shows that the archive was left as it was. */
  fingerprint(): Promise<Fingerprint> {
    return this.volume.hash(FOLDER)
  }

  /** Moves a file out of the archive, compressed or not, out of sight of every server. @returns what moves it back. */
  async take(name: string): Promise<() => Promise<void>> {
    const taken = (await this.#storedAs(name)) ?? name
    const [from, to] = [`${FOLDER}/${taken}`, `taken/${taken}`]
    await this.volume.rename(from, to)
    return () => this.volume.rename(to, from)
  }

  /**
   * Has other content stand under a file's name, as it is stored: compressed, where it is. @returns what puts the original back,
   * byte for byte and with its times.
   */
  async alter(name: string, change: (stored: Buffer) => Buffer): Promise<() => Promise<void>> {
    const stored = (await this.#storedAs(name)) ?? name
    const content = await this.read(stored)
    const putBack = await this.take(name)
    await this.volume.write(`${FOLDER}/${stored}`, change(content))
    return putBack
  }

  /** Gives two files each other's names. @returns what gives them their own again, byte for byte and with their times. */
  async swap(one: string, other: string): Promise<() => Promise<void>> {
    const [a, b] = [(await this.#storedAs(one)) ?? one, (await this.#storedAs(other)) ?? other]
    const swap = async () => {
      await this.volume.rename(`${FOLDER}/${a}`, `taken/${a}`)
      await this.volume.rename(`${FOLDER}/${b}`, `${FOLDER}/${a}`)
      await this.volume.rename(`taken/${a}`, `${FOLDER}/${b}`)
    }
    await swap()
    return swap
  }

  #lastOf(segment: WalSegment, listing: ArchiveListing | undefined): string {
    const newest = listing?.newest(segment.timeline)
    if (newest?.name === segment.name)
      return `${segment}, compressed, and not whole: cut off, or not in the format that its name says`
    const short = listing?.wrongSized.find(one => one.segment.name === segment.name)
    const last = newest ? `${newest} as the last one archived` : `nothing of timeline ${segment.timeline} archived`
    return [
      `${last}${short ? `, and ${segment} with ${short.sizeBytes} bytes` : ''}`,
      ...(listing && listing.foreign.length + listing.others.length > 0 ? archiveOddities(listing) : []),
    ].join('; ')
  }

  /** Of a segment that is listed as whole. */
  async #isStoredToItsEnd({ name }: WalSegment): Promise<boolean> {
    const stored = await this.#storedAs(name)
    const { compression } = splitCompression(stored ?? name)
    return (
      compression === undefined ||
      (await isWhole(await this.read(`${name}.${compression}`), compression, this.segmentSizeBytes))
    )
  }

  /** The plain file where there are several. */
  async #storedAs(name: string): Promise<string | undefined> {
    const files = new Set((await this.files()).flatMap(({ path, kind }) => (kind === 'file' ? [path] : [])))
    const names = [name, ...COMPRESSIONS.map(compression => `${name}.${compression}`)]
    return names.find(one => files.has(one))
  }
}

export interface FingerprintDifference {
  added: string[]
  removed: string[]
  changed: string[]
}

export function compareFingerprints(before: Fingerprint, after: Fingerprint): FingerprintDifference {
  const names = (from: Fingerprint, wanted: (name: string, hash: string) => boolean) =>
    [...from].flatMap(([name, hash]) => (wanted(name, hash) ? [name] : [])).sort()
  return {
    added: names(after, name => !before.has(name)),
    removed: names(before, name => !after.has(name)),
    changed: names(after, (name, hash) => before.has(name) && before.get(name) !== hash),
  }
}
