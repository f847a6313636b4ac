import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'collation versions',
  wanted: "of this system's libraries, as recorded when the objects were made",
  severity: 'failure',
  advice:
    'Indexes may be in an order that this system does not know: REINDEX those that depend on it, then ALTER COLLATION or ALTER DATABASE … REFRESH VERSION.',
}

/** As PostgreSQL compares: where a version is recorded. Of the collations that something uses, which are few of many. */
const MISMATCHES = `
  SELECT format('database %I (%s indexes of its default collation may be concerned)', datname,
                (SELECT count(*) FROM pg_index WHERE 100 = ANY (indcollation))) AS what,
         datcollversion AS recorded, pg_database_collation_actual_version(oid) AS actual
    FROM pg_database
   WHERE datname = current_database() AND datcollversion IS NOT NULL
     AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
   UNION ALL
  SELECT format('collation %s (%s)', c.oid::regcollation,
                coalesce((SELECT string_agg(indexrelid::regclass::text, ', ' ORDER BY 1) FROM pg_index WHERE c.oid = ANY (indcollation)),
                         'of no index')),
         collversion, pg_collation_actual_version(c.oid)
    FROM pg_collation c
   WHERE collversion IS NOT NULL AND EXISTS (SELECT FROM pg_depend WHERE refclassid = 'pg_collation'::regclass AND refobjid = c.oid)
     AND collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
   ORDER BY 1`

/**
 * A restored server may run on another system than the one it was backed up on, whose libraries sort text otherwise.
 * @see PostgreSQL documentation, "ALTER COLLATION", Notes
 */
export async function checkCollations(databases: Databases): Promise<ServerCheck> {
  const found = await databases.each(session => session.query(MISMATCHES))
  const findings = found.flatMap(([database, rows]) =>
    rows.map(
      ({ what, recorded, actual }) =>
        `${database}: ${what} was recorded with version ${recorded}, and is ${actual ?? 'unknown'} here`,
    ),
  )
  return judgeFindings(TERMS, `as recorded in ${databases.count} databases`, findings)
}
