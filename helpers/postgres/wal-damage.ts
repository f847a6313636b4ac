import { Failure } from '../failure.ts'
import type { Lsn } from './lsn.ts'
import type { WalSegment } from './wal-segment.ts'

/**
 * - `wrong-size`: the file is cut off, or longer than a segment
 * - `not-unpacked`: a compressed file that is cut off, or not in the format that its name says
 * - `zeros`: a page, or the rest of one, that is not written
 * - `unknown-magic`: a page of no known version of PostgreSQL, of another than the pages before it, or no page of WAL at all
 * - `wrong-flags`: a page whose flags contradict themselves or its place
 * - `other-cluster`, `other-segment-size`, `other-page-size`: a segment that says so of itself
 * - `other-position`: a page of another place in the log: another segment's, or an old one of a recycled segment
 * - `other-timeline`: a page of a timeline that it cannot be of here
 * - `wrong-continuation`: a page that goes on with another record than the one before it breaks off in
 * - `wrong-length`: no record is as short as this one says
 * - `wrong-checksum`: a record that is not as it was written
 * - `wrong-previous`: a whole record that was written behind another one than it stands behind
 * - `wrong-overwrite`: a page says that an incomplete record is given up here, and its first record does not
 */
export type WalDamageKind =
  | 'wrong-size'
  | 'not-unpacked'
  | 'zeros'
  | 'unknown-magic'
  | 'wrong-flags'
  | 'other-cluster'
  | 'other-segment-size'
  | 'other-page-size'
  | 'other-position'
  | 'other-timeline'
  | 'wrong-continuation'
  | 'wrong-length'
  | 'wrong-checksum'
  | 'wrong-previous'
  | 'wrong-overwrite'

/** What the WAL itself says to be wrong with it. */
export class WalDamage extends Failure {
  constructor(
    override readonly kind: WalDamageKind,
    /** In which the page lies, or the record begins. */
    readonly segment: WalSegment,
    /** Of the page or the record; where a file is cut off, of the first byte that is missing. */
    readonly lsn: Lsn,
    /** A clause of its own, such as "the page is not written: it is zeros". */
    readonly what: string,
  ) {
    super(kind, `in ${segment} at ${lsn}, ${what}`, { segment: segment.name, lsn: String(lsn) })
    this.name = 'WalDamage'
  }
}
