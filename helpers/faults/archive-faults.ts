import type { WalArchive } from '../archive/wal-archive.ts'
import type { Lsn } from '../postgres/lsn.ts'
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

/** Has nothing but zeros where a segment was, as a copy to a disk that lost its writes leaves it. @returns its repair. */
export async function zeroSegment(archive: WalArchive, segment: WalSegment): Promise<Repair> {
  return replaceSegment(archive, segment, Buffer.alloc(segment.sizeBytes))
}

/** Has other content stand under the name of a segment. @returns its repair, which brings the segment's own back. */
export async function replaceSegment(archive: WalArchive, segment: WalSegment, content: Buffer): Promise<Repair> {
  return once(await archive.alter(segment.name, () => content))
}

/** One bit of the byte at `lsn` of a segment that is stored as it is, not compressed, is another. @returns its repair. */
export async function flipBit(archive: WalArchive, segment: WalSegment, lsn: Lsn): Promise<Repair> {
  const at = Number(lsn.minus(segment.start))
  return once(
    await archive.alter(segment.name, stored => {
      const bytes = Buffer.from(stored)
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
      return bytes
    }),
  )
}

/** Gives two segments each other's names, as a copy by a wrong list does. @returns its repair. */
export async function swapSegments(archive: WalArchive, one: WalSegment, other: WalSegment): Promise<Repair> {
  return once(await archive.swap(one.name, other.name))
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
