import type { Row, Session } from '../postgres/session.ts'
import { checksumOf } from './table-state.ts'

/** A table that holds rows of its own, or a materialized view. */
export interface KnownTable {
  oid: string
  schema: string
  name: string
  kind: 'table' | 'materialized view'
  /** Fit to stand in SQL. */
  quoted: string
  /** Which file held it at the transaction's moment. */
  filenode: string
  /** Of its primary key, in its order; none where there is none. */
  key: string[]
}

/** What recovery does not bring back, or what has no rows of its own to compare. */
export interface LeftOutTable {
  schema: string
  name: string
  why: 'unlogged' | 'foreign' | 'not populated'
}

/** How the rows of a table are told from others: by all, by some that both servers choose alike, or by their number alone. */
export type Method = 'checksum' | 'rows' | { oneIn: number; by: readonly string[] }

export interface TableFacts {
  rows: number
  /** Of all rows, or of those sampled; undefined where they were only counted. */
  checksum?: string
  /** Rows of which `checksum` is: those of one in so many values of the columns `by`, or of whole rows where it is empty. */
  sampled?: { oneIn: number; by: string[]; rows: number }
}

/** Why nothing can be said of a table. */
export interface Unread {
  unread: string
}

/**
 * The users' tables of this database, as the transaction that is open sees them. Partitioned ones have their rows in their
 * partitions, and temporary ones are nobody else's.
 */
export async function listTables(session: Session): Promise<{ tables: KnownTable[]; leftOut: LeftOutTable[] }> {
  const rows = await session.query<
    Row &
      Record<'oid' | 'schema' | 'name' | 'quoted' | 'kind' | 'persistence' | 'populated' | 'filenode' | 'key', string>
  >(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS quoted,
            c.relkind AS kind, c.relpersistence AS persistence, c.relispopulated AS populated, c.relfilenode AS filenode,
            coalesce((SELECT json_agg(a.attname ORDER BY k.ord)
                        FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, ord)
                        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                       WHERE i.indrelid = c.oid AND i.indisprimary AND k.ord <= i.indnkeyatts), '[]') AS key
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm', 'f') AND c.relpersistence <> 't'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      ORDER BY n.nspname, c.relname`,
  )
  const tables: KnownTable[] = []
  const leftOut: LeftOutTable[] = []
  for (const { oid, schema, name, quoted, kind, persistence, populated, filenode, key } of rows) {
    const why =
      kind === 'f' ? 'foreign' : persistence === 'u' ? 'unlogged' : populated === 'f' ? 'not populated' : undefined
    if (why) leftOut.push({ schema, name, why })
    else
      tables.push({
        oid,
        schema,
        name,
        quoted,
        kind: kind === 'm' ? 'materialized view' : 'table',
        filenode,
        key: JSON.parse(key) as string[],
      })
  }
  return { tables, leftOut }
}

/**
 * Reads one table within the transaction that is open, and keeps no lock on it. A table that cannot be read, or that was
 * emptied or replaced since the transaction's moment, is told as that: others may still be read.
 * @param choose how, by what it holds on disk.
 * @param timeoutMs of each statement; default: the session's.
 * @throws when the server cuts the statement off, or the connection is lost.
 */
export async function readTableFacts(
  session: Session,
  table: KnownTable,
  choose: (sizeBytes: number) => Method,
  timeoutMs?: number,
): Promise<(TableFacts & { sizeBytes: number }) | Unread> {
  const limit = timeoutMs === undefined ? '' : `; SET LOCAL statement_timeout = ${Math.max(1, Math.ceil(timeoutMs))}`
  await session.query(`SAVEPOINT before_table${limit}`)
  try {
    const size = await session.one('SELECT pg_table_size($1::oid) AS bytes', [table.oid])
    const sizeBytes = Number(size.bytes ?? 0)
    const facts = await readWith(session, table, choose(sizeBytes))
    // An earlier moment sees a table that was truncated since as empty: it is not the same file any more.
    const now = await session.one('SELECT pg_relation_filenode($1::oid) AS filenode', [table.oid])
    if (now.filenode !== table.filenode) return { unread: 'it was truncated, rewritten or dropped in the meantime' }
    return { ...facts, sizeBytes }
  } catch (error) {
    return { unread: reasonOf(error) }
  } finally {
    // The lock on it goes with it. A connection that is lost must not hide why.
    await session.query('ROLLBACK TO SAVEPOINT before_table; RELEASE SAVEPOINT before_table').catch(() => undefined)
  }
}

async function readWith(session: Session, { quoted }: KnownTable, method: Method): Promise<TableFacts> {
  if (method === 'rows') {
    const row = await session.one(`SELECT count(*) AS rows FROM ONLY ${quoted}`)
    return { rows: Number(row.rows) }
  }
  if (method === 'checksum') {
    const row = await session.one<Row & { checksum: string }>(
      `SELECT count(*) AS rows, ${checksumOf('hash')} AS checksum
         FROM (SELECT md5(t::text) AS hash FROM ONLY ${quoted} t OFFSET 0) hashed`,
    )
    return { rows: Number(row.rows), checksum: row.checksum }
  }
  const { oneIn, by } = method
  const columns = by.map(name => `t.${quotedName(name)}`)
  const chosen = columns.length === 0 ? 't' : `ROW(${columns.join(', ')})`
  const row = await session.one<Row & { checksum: string }>(
    `SELECT count(*) AS rows, count(hash) AS sampled, ${checksumOf('hash')} AS checksum
       FROM (SELECT CASE WHEN ('x' || left(md5(${chosen}::text), 8))::bit(32)::bigint % ${oneIn} = 0
                         THEN md5(t::text) END AS hash
               FROM ONLY ${quoted} t OFFSET 0) hashed`,
  )
  return {
    rows: Number(row.rows),
    checksum: row.checksum,
    sampled: { oneIn, by: [...by], rows: Number(row.sampled) },
  }
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** In our words, since the server's may quote what stands in a row. @throws `error` where it is not about the table. */
function reasonOf(error: unknown): string {
  const { code, message = '' } = error as { code?: string; message?: string }
  if (code === '42P01' || code === '3F000') return 'it was dropped or renamed in the meantime'
  if (code === '55P03') return 'somebody holds a lock on it that lets nobody read'
  if (code === '42501' && /row-level security/.test(message))
    return 'a row-level security policy hides rows of it from this role: give the role BYPASSRLS'
  if (code === '42501') return 'this role may not read it: make it a member of pg_read_all_data'
  // Interrupted by us or by an administrator, or the connection is gone: then there is no other table either.
  if (
    !code ||
    !/^(?=.*\d)[0-9A-Z]{5}$/.test(code) ||
    code.startsWith('57') ||
    code.startsWith('08') ||
    code === '25P02'
  )
    throw error
  return `the server cannot read it (SQLSTATE ${code})`
}
