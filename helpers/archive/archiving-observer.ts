import type { Session } from '../postgres/session.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { readContents } from './archive-contents.ts'
import { lastArchiverComplaint } from './archiver-log.ts'
import { type ArchivingSample, readServerArchiving } from './archiving-sample.ts'
import type { ReadableArchive } from './readable-archive.ts'
import { readServerProgress } from './server-progress.ts'

interface Observed {
  session(): Promise<Session>
  /** None of a server that writes it where nobody here can read it. */
  log?: Pick<PostgresNode['log'], 'since'>
}

/** Looks at a living primary and its archive again and again, and keeps what it saw. */
export class ArchivingObserver {
  readonly #samples: ArchivingSample[] = []
  /** What the archiver complained of before it stored something is over. */
  #storedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    private readonly primary: Observed,
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
    return await this.lookThrough(session)
  }

  /** As `look`, through a session that is there. */
  async lookThrough(session: Session): Promise<ArchivingSample> {
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
      complaint: this.#complaint(),
    }
    this.#samples.push(sample)
    return sample
  }

  #complaint(): string | undefined {
    const lines = this.primary.log?.since() ?? []
    return lastArchiverComplaint(lines.filter(({ atMs }) => atMs > this.#storedAtMs))
  }
}
