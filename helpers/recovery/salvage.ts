import { readSegmentHeader, SEGMENT_HEADER_BYTES } from '../postgres/wal-page.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

export interface SalvagePlan {
  /** Of the cluster, in decimal. */
  systemIdentifier: string
  segmentSizeBytes: number
  /** `archive_command` with `%p` and `%f` still in it, ready for the server: it puts a segment where it is wanted. */
  archiveCommand: string
  /** Segments that need not be saved. */
  isArchived: (segment: WalSegment) => boolean
}

/**
 * Saves the WAL that a dead server had not archived yet out of its `pg_wal`, the segment it was writing included, whose end is
 * simply not written. Segments that were made ready for reuse have names of the future and hold old WAL: their first page
 * says so, and they are left.
 * @returns the segments that were saved, in ascending order.
 * @throws {Failure} `command-failed` when the disk cannot be read, or the command does not store a segment.
 * @see PostgreSQL documentation, "Recovering Using a Continuous Archive Backup", step 2 on saving `pg_wal`
 */
export async function salvageWal(dead: PostgresNode, plan: SalvagePlan): Promise<WalSegment[]> {
  const pgWal = `${dead.data.path}/pg_wal`
  const listing = await dead.exec(
    `cd '${pgWal}' && for file in ????????????????????????; do echo "$file $(head -c ${SEGMENT_HEADER_BYTES} "$file" | od -An -v -tx1 | tr -d ' \\n')"; done`,
  )
  const segments = writtenSegments(listing, plan).filter(segment => !plan.isArchived(segment))
  for (const { name } of segments) {
    // As the archiver runs it: in the data directory.
    const command = plan.archiveCommand.replaceAll('%p', `pg_wal/${name}`).replaceAll('%f', name)
    await dead.exec(`cd '${dead.data.path}' && ${command}`)
  }
  return segments
}

/**
 * The segments that hold the WAL their names say, in ascending order.
 * @param listing a line each of a file's name and its first bytes in hexadecimal.
 */
export function writtenSegments(
  listing: string,
  { systemIdentifier, segmentSizeBytes }: Pick<SalvagePlan, 'systemIdentifier' | 'segmentSizeBytes'>,
): WalSegment[] {
  return listing
    .split('\n')
    .flatMap(line => {
      const [name = '', hex = ''] = line.split(' ')
      if (!/^[0-9A-F]{24}$/.test(name)) return []
      const segment = WalSegment.parse(name, segmentSizeBytes)
      const header = readSegmentHeader(Buffer.from(hex, 'hex'))
      const isWritten =
        header?.systemIdentifier === systemIdentifier &&
        header.segmentSizeBytes === segmentSizeBytes &&
        header.address.equals(segment.start)
      return isWritten ? [segment] : []
    })
    .sort((a, b) => a.timeline - b.timeline || Number(a.number - b.number))
}
