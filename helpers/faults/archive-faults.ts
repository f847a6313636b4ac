import type { WalArchive } from '../archive/wal-archive.ts'
import { historyFile } from '../postgres/timeline-history.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'

/** Undoes a fault. A second call does nothing; a call that failed can be made again. */
export type Repair = () => Promise<void>

/**
 * Loses a segment that stands in the archive: it is moved out of it, to where no server looks.
 * @returns its repair, which puts the segment back.
 */
export async function takeSegment(archive: WalArchive, segment: WalSegment): Promise<Repair> {
  return once(await archive.take(segment.name))
}

/** Loses the history of a timeline, as `takeSegment` a segment. @returns its repair. */
export async function takeHistory(archive: WalArchive, timeline: number): Promise<Repair> {
  return once(await archive.take(historyFile(timeline)))
}

/**
 * Cuts a segment that stands in the archive off, as a copy that broke off or a full disk leaves it.
 * @param sizeBytes what is left of it; 0 leaves an empty file.
 * @returns its repair, which brings the whole one back.
 */
export async function truncateSegment(archive: WalArchive, segment: WalSegment, sizeBytes: number): Promise<Repair> {
  return once(await archive.alter(segment.name, stored => stored.subarray(0, sizeBytes)))
}

function once(repair: Repair): Repair {
  let isRepaired = false
  return async () => {
    if (isRepaired) return
    await repair()
    isRepaired = true
  }
}
