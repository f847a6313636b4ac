import type { Lsn } from './lsn.ts'
import { mainDataAt, type WalRecord } from './wal-record.ts'

/** A tablespace that was made, as the WAL has it: whoever replays it makes the tablespace there. */
export interface WalTablespace {
  lsn: Lsn
  oid: string
  /** As far as it is among the first bytes of the record: where that is not all of it, with … behind. */
  location: string
}

/** `RM_TBLSPC_ID`, and the one of its records that makes one. @see PostgreSQL source, `src/include/commands/tablespace.h` */
const TABLESPACE = 5
const CREATE = 0x00
const KIND_MASK = 0xf0

/**
 * Of a record of WAL, what it says of a tablespace that was made; none where it is of anything else, or of one in the data directory.
 * @param data the first bytes behind its header.
 * @see PostgreSQL source, `xl_tblspc_create_rec`, and `create_tablespace_directories` in `src/backend/commands/tablespace.c`
 */
export function readCreatedTablespace(
  { resourceManager, info, lsn }: WalRecord,
  data: Buffer,
): WalTablespace | undefined {
  if (resourceManager !== TABLESPACE || (info & KIND_MASK) !== CREATE) return undefined
  const at = mainDataAt(data)
  // What cannot be read is there all the same.
  if (at === undefined || at + 4 > data.length) return { lsn, oid: 'unknown', location: 'an unknown path' }
  const path = data.subarray(at + 4)
  const end = path.indexOf(0)
  const location = end < 0 ? `${path.toString('utf8')}…` : path.toString('utf8', 0, end)
  return location === '' ? undefined : { lsn, oid: String(data.readUInt32LE(at)), location }
}
