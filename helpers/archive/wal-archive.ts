import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import type { Volume, VolumeEntry } from '../runtime/volume.ts'
import { waitFor } from '../wait.ts'
import { archiveOddities } from './archive-oddities.ts'
import { lastArchiverComplaint } from './archiver-log.ts'
import { isWhole, splitCompression } from './compression.ts'
import type { ArchiveListing } from './listing.ts'
import { ReadableArchive } from './readable-archive.ts'

const FOLDER = 'wal'

/** SHA-256 of every file of an archive, by name. */
export type Fingerprint = ReadonlyMap<string, string>

/** A WAL archive: the folder `wal/` of a volume, which outlives every server. What a drill takes out of it stays on the volume. */
export class WalArchive extends ReadableArchive {
  /** The fingerprint that was taken last, and when, in ISO 8601. */
  lastFingerprint: { at: string; hashes: Fingerprint } | undefined

  constructor(
    readonly volume: Volume,
    segmentSizeBytes?: number,
  ) {
    super(segmentSizeBytes)
  }

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

  files(): Promise<VolumeEntry[]> {
    return this.volume.entries(FOLDER)
  }

  read(name: string, into?: Buffer): Promise<Buffer> {
    return this.volume.read(`${FOLDER}/${name}`, into)
  }

  /** Creates or replaces a file of the archive: for what comes from another one. */
  store(name: string, content: Buffer): Promise<void> {
    return this.volume.write(`${FOLDER}/${name}`, content)
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
  async fingerprint(): Promise<Fingerprint> {
    const at = new Date().toISOString()
    const hashes = await this.volume.hash(FOLDER)
    this.lastFingerprint = { at, hashes }
    return hashes
  }

  /** Moves a file out of the archive, compressed or not, out of sight of every server. @returns what moves it back. */
  async take(name: string): Promise<() => Promise<void>> {
    const taken = (await this.storedAs(name)) ?? name
    const [from, to] = [`${FOLDER}/${taken}`, `taken/${taken}`]
    await this.volume.rename(from, to)
    return () => this.volume.rename(to, from)
  }

  /**
   * Has other content stand under a file's name, as it is stored: compressed, where it is. @returns what puts the original back,
   * byte for byte and with its times.
   */
  async alter(name: string, change: (stored: Buffer) => Buffer): Promise<() => Promise<void>> {
    const stored = (await this.storedAs(name)) ?? name
    const content = await this.read(stored)
    const putBack = await this.take(name)
    await this.volume.write(`${FOLDER}/${stored}`, change(content))
    return putBack
  }

  /** Gives two files each other's names. @returns what gives them their own again, byte for byte and with their times. */
  async swap(one: string, other: string): Promise<() => Promise<void>> {
    const [a, b] = [(await this.storedAs(one)) ?? one, (await this.storedAs(other)) ?? other]
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
    const stored = await this.storedAs(name)
    const { compression } = splitCompression(stored ?? name)
    return (
      compression === undefined ||
      (await isWhole(await this.read(`${name}.${compression}`), compression, this.segmentSizeBytes))
    )
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
