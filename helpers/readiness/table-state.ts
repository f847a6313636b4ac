import { CannotRun } from '../failure.ts'
import type { Row, Session } from '../postgres/session.ts'

interface TableState {
  rows: number
  /** Of all rows, whatever their order: equal on two servers when the rows print alike. */
  checksum: string
}

/** By `schema.table`, as the catalog spells both, unquoted. */
export type TableStates = Readonly<Record<string, TableState>>

/**
 * Two servers print the same row alike only under the same settings. `row_security = off` makes a policy that would hide
 * rows an error; an empty search path prints every name with its schema.
 * @see PostgreSQL documentation, "Locale and Formatting" and "Statement Behavior"
 */
const SAME_TEXT = `
  SET LOCAL extra_float_digits = 1;
  SET LOCAL DateStyle = 'ISO, YMD';
  SET LOCAL IntervalStyle = 'postgres';
  SET LOCAL TimeZone = 'UTC';
  SET LOCAL bytea_output = 'hex';
  SET LOCAL lc_monetary = 'C';
  SET LOCAL xmlbinary = 'base64';
  SET LOCAL quote_all_identifiers = off;
  SET LOCAL row_security = off;
  SET LOCAL search_path = '';`

/** Runs `body` in one read-only transaction that sees one moment, under the settings that make two servers print alike. */
export async function atOneMoment<T>(session: Session, body: () => Promise<T>): Promise<T> {
  await session.query(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;${SAME_TEXT}`)
  try {
    return await body()
  } finally {
    // Nothing was written; and a server that was lost meanwhile must not hide why `body` failed.
    await session.query('ROLLBACK').catch(() => undefined)
  }
}

/** As `readTablesNow`, in a transaction of its own: works on a server in recovery too. */
export function readTables(session: Session, tables?: readonly string[]): Promise<TableStates> {
  return atOneMoment(session, () => readTablesNow(session, tables))
}

/**
 * Counts and checksums within the transaction that is open.
 * @param tables as `schema.table`; default: every permanent table of the users' schemas. Unlogged and temporary tables are
 * left out, since recovery empties them.
 * @throws {CannotRun} when one of `tables` is not there.
 */
export async function readTablesNow(session: Session, tables?: readonly string[]): Promise<TableStates> {
  const known = await session.query<Row & { name: string; quoted: string }>(
    `SELECT n.nspname || '.' || c.relname AS name, format('%I.%I', n.nspname, c.relname) AS quoted
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND c.relpersistence = 'p'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      ORDER BY 1`,
  )
  const missing = tables?.filter(name => !known.some(one => one.name === name)) ?? []
  if (missing.length > 0)
    throw new CannotRun(`there is no permanent table ${missing.join(', ')} on this server: name tables as schema.table`)
  const states: Record<string, TableState> = {}
  for (const { name, quoted } of known) {
    if (!tables || tables.includes(name)) states[name] = await readTable(session, quoted)
  }
  return states
}

async function readTable(session: Session, quoted: string): Promise<TableState> {
  const row = await session.one<Row & { rows: string; checksum: string }>(
    `SELECT count(*) AS rows, ${checksumOf('hash')} AS checksum
       FROM (SELECT md5(t::text) AS hash FROM ONLY ${quoted} t OFFSET 0) hashed`,
  )
  return { rows: Number(row.rows), checksum: row.checksum }
}

/**
 * Two sums over the halves of each row's MD5: a sum keeps its value in any order, and unlike an exclusive or it counts
 * a row that stands there twice. MD5 is for telling rows apart, not for keeping anybody out. `ONLY`: a child's rows are the child's.
 */
export function checksumOf(hash: string): string {
  return `md5(count(${hash}) || ':' || coalesce(sum(('x' || left(${hash}, 16))::bit(64)::bigint), 0)
                         || ':' || coalesce(sum(('x' || right(${hash}, 16))::bit(64)::bigint), 0))`
}
