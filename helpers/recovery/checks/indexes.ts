import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'invalid indexes',
  wanted: 'none',
  severity: 'warning',
  advice: 'No query uses such an index, and a unique one holds nobody back: REINDEX it, or drop it.',
}

/** Left by a CREATE INDEX CONCURRENTLY that was cut off, such as by the recovery target. */
export async function checkIndexes(databases: Databases): Promise<ServerCheck> {
  const findings = await databases.find(async session => {
    const rows = await session.query(
      'SELECT indexrelid::regclass AS index FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive) ORDER BY 1',
    )
    return rows.map(({ index }) => String(index))
  })
  return judgeFindings(TERMS, 'none', findings)
}
