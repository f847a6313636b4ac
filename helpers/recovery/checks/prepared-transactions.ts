import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'prepared transactions',
  wanted: 'none that nobody will end',
  severity: 'warning',
  advice:
    'Each holds its locks and keeps VACUUM from its work: ask its transaction manager, then COMMIT PREPARED or ROLLBACK PREPARED.',
}

/**
 * After a recovery a prepared transaction is open again, and its transaction manager may have forgotten it. Before
 * promotion the server shows none of them.
 * @param expected global identifiers that somebody is known to end.
 */
export async function checkPreparedTransactions(
  databases: Databases,
  expected: readonly string[] = [],
): Promise<ServerCheck> {
  const rows = await databases.shared(
    "SELECT gid, database, owner, to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since FROM pg_prepared_xacts ORDER BY gid",
  )
  const orphans = rows.filter(({ gid }) => !expected.includes(gid ?? ''))
  return judgeFindings(
    TERMS,
    rows.length === 0 ? 'none' : `${rows.length}, all of them expected`,
    orphans.map(({ gid, database, owner, since }) => `${database}: ${gid} of ${owner}, prepared at ${since} UTC`),
  )
}
