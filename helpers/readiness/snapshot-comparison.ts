import type { Session } from '../postgres/session.ts'
import type { LiveSnapshot, SnapshotTable } from './snapshot-file.ts'
import { listTables, type Method, readTableFacts, type TableFacts, type Unread } from './table-facts.ts'
import { atOneMoment } from './table-state.ts'

/** A table as another server has it, read as the snapshot read it. */
export type SeenTable = { schema: string; name: string } & (TableFacts | Unread)

/** How one table of a restored server stands to the snapshot. */
export interface TableComparison {
  schema: string
  name: string
  /**
   * - `more`, `fewer`: rows
   * - `changed`: as many rows, and not the same
   * - `missing`, `extra`: the table itself
   * - `unknown`: it could not be read, then or now
   */
  verdict: 'same' | 'more' | 'fewer' | 'changed' | 'missing' | 'extra' | 'unknown'
  /** What `same` and `changed` rest on. */
  by: 'checksum' | 'sample' | 'rows'
  rowsBefore: number | undefined
  rowsNow: number | undefined
  /** Why it is unknown. */
  why?: string
}

/**
 * Reads on another server, which may be in recovery, the facts that a snapshot has of its tables, each in the way that the
 * snapshot read it. Tables that it does not know are counted.
 * @param session on the database of the same name.
 * @throws when the server cuts a statement off, or the connection is lost.
 */
export async function readSameTables(session: Session, { tables }: Pick<LiveSnapshot, 'tables'>): Promise<SeenTable[]> {
  const known = new Map(tables.map(table => [keyOf(table), table]))
  return await atOneMoment(session, async () => {
    const seen: SeenTable[] = []
    for (const table of (await listTables(session)).tables) {
      const facts = await readTableFacts(session, table, () => methodOf(known.get(keyOf(table))))
      seen.push({ schema: table.schema, name: table.name, ...withoutSize(facts) })
    }
    return seen
  })
}

/** Table by table, in the order of their names: those of the snapshot, and those that only the other server has. */
export function compareWithSnapshot(
  { tables }: Pick<LiveSnapshot, 'tables'>,
  seen: readonly SeenTable[],
): TableComparison[] {
  const before = new Map(tables.map(table => [keyOf(table), table]))
  const now = new Map(seen.map(table => [keyOf(table), table]))
  return [...new Set([...before.keys(), ...now.keys()])].sort().flatMap(key => {
    const [was, is] = [before.get(key), now.get(key)]
    const { schema, name } = was ?? is ?? {}
    if (schema === undefined || name === undefined) return []
    const rows = { rowsBefore: rowsOf(was), rowsNow: rowsOf(is) }
    return [{ schema, name, ...rows, by: basisOf(was), ...judge(was, is) }]
  })
}

function judge(was: SnapshotTable | undefined, is: SeenTable | undefined): Pick<TableComparison, 'verdict' | 'why'> {
  if (!is) return { verdict: 'missing' }
  if (!was) return { verdict: 'extra' }
  if ('unread' in was) return { verdict: 'unknown', why: `the snapshot has nothing of it: ${was.unread}` }
  if ('unread' in is) return { verdict: 'unknown', why: `it could not be read now: ${is.unread}` }
  if (is.rows !== was.rows) return { verdict: is.rows > was.rows ? 'more' : 'fewer' }
  return { verdict: is.checksum === was.checksum ? 'same' : 'changed' }
}

function methodOf(table: SnapshotTable | undefined): Method {
  if (!table || 'unread' in table || table.checksum === undefined) return 'rows'
  return table.sampled ?? 'checksum'
}

function basisOf(table: SnapshotTable | undefined): TableComparison['by'] {
  const method = methodOf(table)
  return typeof method === 'string' ? method : 'sample'
}

function rowsOf(table: SnapshotTable | SeenTable | undefined): number | undefined {
  return table && 'rows' in table ? table.rows : undefined
}

function withoutSize(facts: (TableFacts & { sizeBytes: number }) | Unread): TableFacts | Unread {
  if ('unread' in facts) return facts
  const { sizeBytes: _, ...rest } = facts
  return rest
}

/** No name holds a zero byte. */
function keyOf({ schema, name }: { schema: string; name: string }): string {
  return `${schema}\0${name}`
}
