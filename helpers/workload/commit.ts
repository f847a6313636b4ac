import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import type { Intent, Ledger, LedgerCommit } from './ledger.ts'

/**
 * Runs `work` as one transaction and enters it in the ledger, in two round trips. When the connection is cut after COMMIT
 * was sent, the commit stays unacknowledged; before that, it is not entered, since it cannot have happened.
 * @param begun the transaction has been begun already, on this session.
 * @throws what the session throws; the transaction may then still be open, and the session is not to be used again.
 */
export async function commitInLedger(
  session: Session,
  ledger: Ledger,
  intent: Omit<Intent, 'xid' | 'before' | 'atBefore'>,
  work: string,
  begun = false,
): Promise<LedgerCommit> {
  const sent = await session.one<{ xid: string; before: string; at: string }>(
    `${begun ? '' : 'BEGIN;'} ${work};
     SELECT pg_current_xact_id() AS xid, pg_current_wal_insert_lsn() AS before, clock_timestamp() AS at`,
  )
  ledger.sending({ ...intent, xid: sent.xid, before: Lsn.parse(sent.before), atBefore: sent.at })
  // The second statement runs once the first has committed: its answer is the acknowledgement.
  const acknowledged = await session.one<{ after: string; at: string }>(
    'COMMIT; SELECT pg_current_wal_insert_lsn() AS after, clock_timestamp() AS at',
  )
  return ledger.acknowledge(intent.key, { after: Lsn.parse(acknowledged.after), at: acknowledged.at })
}
