import type { WalArchive } from '../archive/wal-archive.ts'
import { historyFile } from '../postgres/timeline-history.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import type { Repair } from './repair.ts'

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

/** Nothing can be made in the archive's folder any more. @returns its repair. */
export async function lockArchive(server: PostgresNode, archive: WalArchive): Promise<Repair> {
  await server.exec(`chmod a-w '${archive.path}'`)
  return async () => {
    await server.exec(`chmod u+w '${archive.path}'`)
  }
}

const FILLER = 'filler'

/**
 * Fills the archive's volume to the last byte, beside the archive.
 * @returns its repair, which makes room again.
 * @throws {RangeError} for a volume without a size of its own: it would fill the disk of whoever runs the drill.
 */
export async function fillArchive(server: PostgresNode, { volume }: WalArchive): Promise<Repair> {
  if (volume.sizeBytes === undefined) throw new RangeError(`${volume.name} has no size of its own: it is not filled`)
  await server.exec(`head -c ${volume.sizeBytes} /dev/zero > '${volume.path}/${FILLER}' || true`)
  return () => volume.remove(FILLER)
}
