import { readSegmentHeader, SEGMENT_HEADER_BYTES } from '../postgres/wal-page.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/** What tells a cluster's WAL from another's, and what its archive has of it. */
export interface Archived {
  /** Of the cluster, in decimal. */
  systemIdentifier: string
  /** The last segment that is archived, of the timeline that the server was on. */
  last: WalSegment
}

/**
 * The segments of a dead server's `pg_wal` that it had not archived yet, the one it was writing included, whose end is simply
 * not written. Segments that were made ready for reuse have names of the future and hold old WAL: their first page says so,
 * and they are left.
 * @returns in ascending order.
 * @throws {Failure} `command-failed` when the disk cannot be read.
 */
export async function findUnarchived(dead: PostgresNode, { systemIdentifier, last }: Archived): Promise<WalSegment[]> {
  const listing = await dead.exec(
    `cd '${dead.data.path}/pg_wal' && for file in ????????????????????????; do echo "$file $(head -c ${SEGMENT_HEADER_BYTES} "$file" | od -An -v -tx1 | tr -d ' \\n')"; done`,
  )
  return writtenSegments(listing, { systemIdentifier, segmentSizeBytes: last.sizeBytes }).filter(
    ({ timeline, number }) => timeline === last.timeline && number > last.number,
  )
}

/**
 * Copies segments of a dead server into the `pg_wal` of one that is restored and not yet started. Recovery finds them there once
 * its archive has no more.
 * @see PostgreSQL documentation, "Recovering Using a Continuous Archive Backup", steps 2 and 7
 */
export async function moveIntoPgWal(
  dead: PostgresNode,
  segments: readonly WalSegment[],
  restored: PostgresNode,
): Promise<void> {
  for (const { name } of segments) await restored.data.write(`pg_wal/${name}`, await dead.data.read(`pg_wal/${name}`))
}

/**
 * The segments that hold the WAL their names say, in ascending order.
 * @param listing a line each of a file's name and its first bytes in hexadecimal.
 */
export function writtenSegments(
  listing: string,
  { systemIdentifier, segmentSizeBytes }: { systemIdentifier: string; segmentSizeBytes: number },
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
