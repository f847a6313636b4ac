import { historyFile, TimelineHistory } from '../postgres/timeline-history.ts'
import { ArchiveListing } from './listing.ts'
import type { ReadableArchive } from './readable-archive.ts'

/** What several archives hold between them, as a restore_command finds it that looks into one after the other. */
export interface ArchiveContents {
  listing: ArchiveListing
  histories: ReadonlyMap<number, TimelineHistory>
  /** Timelines whose history file is there and says nothing that recovery could follow. */
  damagedHistories: readonly number[]
}

/**
 * Lists the archives, and reads their history files.
 * @throws {RangeError} without any archive, and for archives of different segment sizes; {CannotRun} for one that
 *   is not there, or cannot be read.
 */
export async function readContents(archives: readonly ReadableArchive[]): Promise<ArchiveContents> {
  const [segmentSizeBytes, ...others] = new Set(archives.map(archive => archive.segmentSizeBytes))
  if (segmentSizeBytes === undefined) throw new RangeError('no archive was given')
  if (others.length > 0)
    throw new RangeError(
      `archives with segments of ${[segmentSizeBytes, ...others].join(' and of ')} bytes are not one`,
    )
  const files = await Promise.all(archives.map(archive => archive.files()))
  const listing = ArchiveListing.of(files.flat(), segmentSizeBytes)
  const histories = new Map<number, TimelineHistory>()
  const damagedHistories: number[] = []
  for (const timeline of new Set(listing.histories)) {
    const content = await findIn(archives, historyFile(timeline))
    // Gone since it was listed.
    if (!content) continue
    const history = parse(content, timeline)
    if (history) histories.set(timeline, history)
    else damagedHistories.push(timeline)
  }
  return { listing, histories, damagedHistories }
}

async function findIn(archives: readonly ReadableArchive[], name: string): Promise<Buffer | undefined> {
  for (const archive of archives) {
    const content = await archive.find(name)
    if (content) return content
  }
  return undefined
}

function parse(content: Buffer, timeline: number): TimelineHistory | undefined {
  try {
    return TimelineHistory.parse(content.toString('utf8'), timeline)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
