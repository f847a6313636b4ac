import type { Lsn } from './lsn.ts'
import { mainDataAt, type WalRecord } from './wal-record.ts'

/** A transaction's commit as the WAL has it. */
export interface WalCommit {
  lsn: Lsn
  endLsn: Lsn
  /** That stands in the record, which a recovery to a time compares: ISO 8601 in UTC with microseconds. */
  at: string
}

/** `RM_XACT_ID`, and what of its records ends a transaction well. @see PostgreSQL source, `src/include/access/xact.h` */
const TRANSACTION = 1
const KIND_MASK = 0x70
const COMMITS: readonly number[] = [0x00, 0x30]

/**
 * Of a record of WAL, what it says of a commit; none where it is of anything else.
 * @param data the first bytes behind its header.
 * @see PostgreSQL source, `xl_xact_commit` in `src/include/access/xact.h`
 */
export function readCommit({ resourceManager, info, lsn, endLsn }: WalRecord, data: Buffer): WalCommit | undefined {
  if (resourceManager !== TRANSACTION || !COMMITS.includes(info & KIND_MASK)) return undefined
  const at = mainDataAt(data)
  if (at === undefined || at + 8 > data.length) return undefined
  return { lsn, endLsn, at: timeOf(data.readBigInt64LE(at)) }
}

/** Microseconds between 1970 and 2000: from where PostgreSQL counts. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n

function timeOf(timestamp: bigint): string {
  const microseconds = timestamp + EPOCH_MICROSECONDS
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = new Date(Number((microseconds - fraction) / 1000n)).toISOString().slice(0, 19)
  return `${seconds}.${fraction.toString().padStart(6, '0')}Z`
}
