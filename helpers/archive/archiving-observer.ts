import type { PostgresNode } from '../runtime/postgres-node.ts'
import { readContents } from './archive-contents.ts'
import { lastArchiverComplaint } from './archiver-log.ts'
import { type ArchivingSample, readServerArchiving } from './archiving-sample.ts'
import type { ReadableArchive } from './readable-archive.ts'
import { readServerProgress } from './server-progress.ts'

/** Looks at a living primary and its archive again and again, and keeps what it saw. */
export class ArchivingObserver {
  readonly #samples: ArchivingSample[] = []
  /** What the archiver complained of before it stored something is over. */
  #storedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly primary: Pick<PostgresNode, 'session' | 'log'>,
    /** In the order in which recovery looks into them. */
    private readonly archives: readonly ReadableArchive[],
  ) {}

  /** All so far, the oldest first. */
  get samples(): readonly ArchivingSample[] {
    return this.#samples
  }

  /**
   * Looks once. @throws what the server, or the listing of the archive, throws, and {CannotRun} when the archive is of another
   * segment size; the look counts as none then.
   */
  async look(): Promise<ArchivingSample> {
    await using session = await this.primary.session()
    const progress = await readServerProgress(session)
    for (const archive of this.archives) archive.assertTakes(progress)
    const server = await readServerArchiving(session, progress.segmentSizeBytes)
    const before = this.#samples.at(-1)
    if (before && server.archiver.archivedCount > before.archiver.archivedCount) this.#storedAtMs = performance.now()
    const contents = await readContents(this.archives)
    const sample = {
      at: new Date().toISOString(),
      atSeconds: performance.now() / 1000,
      progress,
      ...server,
      ...contents,
      complaint: lastArchiverComplaint(this.primary.log.since().filter(({ atMs }) => atMs > this.#storedAtMs)),
    }
    this.#samples.push(sample)
    return sample
  }
}
