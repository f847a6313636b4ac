import type { Row, Session } from '../../postgres/session.ts'
import { attemptAll, withExtension } from './borrowed-extension.ts'
import { type CheckTerms, judgeFindings, notChecked, type ServerCheck } from './check.ts'
import { type Databases, withDatabase } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'data checksums',
  wanted: 'on, and right on every page',
  severity: 'failure',
  advice: 'REINDEX a damaged index; of a damaged table, restore from another base backup.',
}

/**
 * Reads every page of every relation, whatever its kind, so that the server checks it. A page that the server has in memory
 * is not read from disk again: to be done on a server that was started after its recovery.
 * @see PostgreSQL documentation, "Data Checksums" and "pg_prewarm"
 */
export async function checkDataChecksums(databases: Databases): Promise<ServerCheck> {
  const [row] = await databases.shared("SELECT current_setting('data_checksums') AS setting")
  if (row?.setting !== 'on')
    return notChecked(
      { ...TERMS, advice: 'Enable them with pg_checksums while the server is stopped.' },
      `data checksums are ${row?.setting}, so that a page damaged on disk goes unnoticed`,
    )
  const results = await databases.each(session =>
    withExtension(session, 'pg_prewarm', schema => readPages(session, schema)),
  )
  const findings: [string, string[]][] = []
  let pages = 0
  for (const [database, result] of results) {
    if ('lacking' in result) return notChecked(TERMS, result.lacking)
    pages += result.done.pages
    findings.push([database, result.done.findings])
  }
  return judgeFindings(TERMS, `${pages} pages of ${databases.count} databases are right`, withDatabase(findings))
}

type Fork = Row & { oid: string; relation: string; fork: string; pages: string }

const FORKS = `
  SELECT oid, oid::regclass AS relation, fork, pg_relation_size(oid, fork) / current_setting('block_size')::integer AS pages
    FROM pg_class, unnest(ARRAY['main', 'fsm', 'vm']) AS fork
   WHERE relkind IN ('r', 'i', 't', 'm', 'S') AND relpersistence <> 't' AND pg_relation_size(oid, fork) > 0
   ORDER BY 2, 3`

async function readPages(session: Session, schema: string): Promise<{ pages: number; findings: string[] }> {
  const forks = await session.query<Fork>(FORKS)
  const { errors } = await attemptAll(
    session,
    forks,
    some =>
      `SELECT sum(${schema}.pg_prewarm(oid, 'buffer', fork))
         FROM unnest('{${some.map(({ oid }) => oid).join(',')}}'::regclass[], '{${some.map(({ fork }) => fork).join(',')}}'::text[]) AS r (oid, fork)`,
  )
  return {
    pages: forks.reduce((sum, { pages }) => sum + Number(pages), 0),
    findings: errors.map(
      ({ relation: { relation, fork }, message }) => `${relation}${fork === 'main' ? '' : ` (${fork})`}: ${message}`,
    ),
  }
}
