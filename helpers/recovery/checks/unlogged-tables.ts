import type { Row } from '../../postgres/session.ts'
import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'unlogged tables',
  wanted: 'empty: no WAL is written of them, and recovery empties them',
  severity: 'warning',
  advice: 'Its rows were written since the recovery, or cannot be relied on: TRUNCATE it, and let its owner fill it.',
}

/**
 * Names the tables whose rows no recovery brings back, and any that has rows all the same.
 * @see PostgreSQL documentation, "CREATE TABLE", UNLOGGED
 */
export async function checkUnloggedTables(databases: Databases): Promise<ServerCheck> {
  const found = await databases.each(async session => {
    const tables = await session.query<Row & { table: string }>(
      "SELECT oid::regclass AS table FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u' ORDER BY 1",
    )
    const states: { table: string; hasRows: boolean }[] = []
    for (const { table } of tables) {
      const [first] = await session.query(`SELECT 1 FROM ONLY ${table} LIMIT 1`)
      states.push({ table, hasRows: first !== undefined })
    }
    return states
  })
  const tables = found.flatMap(([database, states]) =>
    states.map(({ table, hasRows }) => ({ name: `${database}: ${table}`, hasRows })),
  )
  return judgeFindings(
    TERMS,
    tables.length === 0 ? 'none' : `emptied by recovery: ${tables.map(({ name }) => name).join('; ')}`,
    tables.filter(({ hasRows }) => hasRows).map(({ name }) => `${name} has rows`),
  )
}
