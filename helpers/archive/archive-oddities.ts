import { classifyArchiveFile } from './archive-file.ts'
import { splitCompression } from './compression.ts'
import type { ArchiveListing } from './listing.ts'

const MIB = 2 ** 20
/** What `wal_segment_size` can be: a power of two from 1 MiB to 1 GiB. */
const SEGMENT_SIZES_BYTES: readonly number[] = Array.from({ length: 11 }, (_, power) => MIB * 2 ** power)

/**
 * What in an archive is not what it looks like, or has no place there: a sentence each. Nothing of it is counted as found, so it
 * makes no audit better than it is; it says why one is worse than expected, or that this is another archive than was meant.
 *
 * A symbolic link out of the archive is no segment of it, though recovery would follow it: what it leads to may be on the very disk
 * that is to be lost, or in a `pg_wal` where it is written over. Another place that recovery looks into is an archive of its own.
 */
export function archiveOddities({ segments, wrongSized, foreign, others, segmentSizeBytes }: ArchiveListing): string[] {
  const ofKind = (kind: string) => others.filter(one => one.kind === kind).map(({ path }) => path)
  const wrong = (sizeBytes: number) =>
    wrongSized.flatMap(one => (one.sizeBytes === sizeBytes ? [one.segment.name] : []))
  const named: Record<OddName, string[]> = { lowerCase: [], unknownEnding: [], impossible: [], nearly: [], other: [] }
  for (const path of foreign) if (!path.startsWith('.')) named[oddNameOf(path, segmentSizeBytes)].push(path)
  return [
    ...(segments.size === 0 && wrongSized.length === 0 ? ['no WAL segment is in the archive'] : []),
    ...stated('symbolic links out of the archive or to nowhere, which are not taken for its files', ofKind('link')),
    // A file system's own, at the top of each.
    ...stated(
      'folders, into which recovery does not look',
      ofKind('folder').filter(path => path !== 'lost+found'),
    ),
    ...stated('neither files nor folders', ofKind('special')),
    ...stated('names in lower case, which recovery does not ask for', named.lowerCase),
    ...stated(
      'segments with an ending that is not known, so still being copied, or packed as is not read here',
      named.unknownEnding,
    ),
    ...stated(
      `names that no WAL segment of ${segmentSizeBytes / MIB} MiB has, as of a server with another wal_segment_size`,
      named.impossible,
    ),
    ...stated('names nearly of WAL segments, which recovery does not ask for', named.nearly),
    ...stated("files that are none of PostgreSQL's", named.other),
    ...SEGMENT_SIZES_BYTES.flatMap(size =>
      stated(`segments of ${size / MIB} MiB, as of a server with another wal_segment_size, or cut off`, wrong(size)),
    ),
  ]
}

function stated(what: string, [first, ...more]: readonly string[]): string[] {
  if (first === undefined) return []
  return [`${what}: ${first}${more.length > 0 ? ` and ${more.length} more` : ''}`]
}

type OddName = 'lowerCase' | 'unknownEnding' | 'impossible' | 'nearly' | 'other'

/** Of a name that PostgreSQL would not give. */
function oddNameOf(path: string, segmentSizeBytes: number): OddName {
  const { name } = splitCompression(path)
  const isKnown = (one: string) => classifyArchiveFile(one, segmentSizeBytes).kind !== 'foreign'
  if (isKnown(name.replace(/^[0-9a-fA-F]+/, digits => digits.toUpperCase()))) return 'lowerCase'
  if (/^[0-9A-F]{24}\../.test(name) && isKnown(name.slice(0, 24))) return 'unknownEnding'
  if (/^[0-9A-F]{24}$/.test(name)) return 'impossible'
  return /^[0-9a-fA-F]{20,28}(\.|$)/.test(name) ? 'nearly' : 'other'
}
