import type { Row, Session } from '../../postgres/session.ts'
import { attemptAll, withExtension } from './borrowed-extension.ts'
import { type CheckTerms, judgeFindings, notChecked, type ServerCheck } from './check.ts'
import { type Databases, withDatabase } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'structure',
  wanted: 'every B-tree index agrees with itself and its table, and every table with itself, says amcheck',
  severity: 'failure',
  advice: 'REINDEX a damaged index; of a damaged table, restore from another base backup.',
}

/**
 * Every valid B-tree index of every database is in order and holds an entry for each row of its table, and every table is
 * well-formed: what data checksums cannot see, such as a write that the disk lost.
 * @see PostgreSQL documentation, "amcheck"
 */
export async function checkStructure(databases: Databases): Promise<ServerCheck> {
  const results = await databases.each(session =>
    withExtension(session, 'amcheck', schema => verifyRelations(session, schema)),
  )
  const findings: [string, string[]][] = []
  let count = 0
  for (const [database, result] of results) {
    if ('lacking' in result) return notChecked(TERMS, result.lacking)
    count += result.done.count
    findings.push([database, result.done.findings])
  }
  return judgeFindings(
    TERMS,
    `${count} indexes and tables of ${databases.count} databases agree`,
    withDatabase(findings),
  )
}

type Relation = Row & { oid: string; relation: string; kind: string; written: string }

/**
 * What amcheck can look at: an invalid index is for another check, and a temporary table for nobody. `written`: somebody
 * holds a lock against which a thorough check would wait, for ever if it is a prepared transaction's.
 */
const RELATIONS = `
  SELECT c.oid, c.oid::regclass AS relation, c.relkind AS kind,
         EXISTS (SELECT FROM pg_locks l
                  WHERE l.relation = i.indrelid AND l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                    AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock')) AS written
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_am am ON am.oid = c.relam
   WHERE c.relpersistence <> 't'
     AND (c.relkind = 'i' AND am.amname = 'btree' AND i.indisvalid AND i.indisready
          OR c.relkind IN ('r', 'm', 't') AND am.amname = 'heap')
   ORDER BY 2`

async function verifyRelations(session: Session, schema: string): Promise<{ count: number; findings: string[] }> {
  const relations = await session.query<Relation>(RELATIONS)
  const indexes = relations.filter(({ kind }) => kind === 'i')
  const check = (name: string) => (some: readonly Relation[]) =>
    `SELECT count(${schema}.${name}(oid, true)) FROM ${listed(some)} AS oid`
  const attempts = [
    await attemptAll(
      session,
      indexes.filter(({ written }) => written !== 't'),
      check('bt_index_parent_check'),
    ),
    await attemptAll(
      session,
      indexes.filter(({ written }) => written === 't'),
      check('bt_index_check'),
    ),
  ]
  const tables = await attemptAll(
    session,
    relations.filter(({ kind }) => kind !== 'i'),
    some =>
      `SELECT oid::regclass AS relation, found.* FROM ${listed(some)} AS oid, ${schema}.verify_heapam(oid) AS found (block, item, attribute, message)`,
  )
  return {
    count: relations.length,
    findings: [
      ...[...attempts, tables].flatMap(({ errors }) =>
        errors.map(({ relation, message }) => `${relation.relation}: ${message}`),
      ),
      ...tables.rows.map(
        ({ relation, block, item, message }) => `${relation}: block ${block}, item ${item}: ${message}`,
      ),
    ],
  }
}

function listed(relations: readonly Relation[]): string {
  return `unnest('{${relations.map(({ oid }) => oid).join(',')}}'::regclass[])`
}
