import { DEFAULT_SEGMENT_SIZE_BYTES, type WalSegment } from '../postgres/wal-segment.ts'
import type { Volume } from '../runtime/volume.ts'
import { waitFor } from '../wait.ts'
import { ArchiveListing } from './listing.ts'

const FOLDER = 'wal'

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

  async list(): Promise<ArchiveListing> {
    const files = await this.volume.list(FOLDER)
    return ArchiveListing.of(
      files.map(({ path, sizeBytes }) => ({ path: path.slice(FOLDER.length + 1), sizeBytes })),
      this.segmentSizeBytes,
    )
  }

  /** A file of the archive, such as a timeline's history. @throws when there is none of that name. */
  read(name: string): Promise<Buffer> {
    return this.volume.read(`${FOLDER}/${name}`)
  }

  /**
   * Until `segment` stands in the archive whole: a plain `cp` shows a short file while it copies.
   * @throws {Failure} `deadline-passed`, naming the last segment of that timeline that was there.
   */
  async waitFor(segment: WalSegment): Promise<void> {
    let listing: ArchiveListing | undefined
    await waitFor(
      `segment ${segment} to stand in the archive`,
      'segmentArchived',
      async () => {
        listing = await this.list()
        return listing.segments.get(segment.timeline)?.some(one => one.number === segment.number) || undefined
      },
      () => {
        const newest = listing?.newest(segment.timeline)
        const short = listing?.wrongSized.find(one => one.segment.name === segment.name)
        return `${newest ? `${newest} as the last one archived` : `nothing of timeline ${segment.timeline} archived`}${short ? `, and ${segment} with ${short.sizeBytes} bytes` : ''}`
      },
    )
  }

  /** Taken before and after a recovery, it shows that the archive was left as it was. */
  fingerprint(): Promise<Fingerprint> {
    return this.volume.hash(FOLDER)
  }

  /** Moves a file out of the archive, out of sight of every server. @returns what moves it back. */
  async take(name: string): Promise<() => Promise<void>> {
    const [from, to] = [`${FOLDER}/${name}`, `taken/${name}`]
    await this.volume.rename(from, to)
    return () => this.volume.rename(to, from)
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
