import type { PostgresNode } from '../runtime/postgres-node.ts'
import type { Repair } from './repair.ts'

/**
 * A write that the disk acknowledged and lost: the index is again what it was before `change`, its table is not. No data
 * checksum can see it, since each page is one that PostgreSQL wrote. The server is stopped before and after.
 */
export async function loseWritesOf(
  node: PostgresNode,
  { database, index, change }: { database: string; index: string; change: string },
): Promise<void> {
  const file = await fileOf(node, database, index)
  await node.stop()
  const before = await node.data.read(file)
  await node.start()
  await queryIn(node, database, change)
  await node.stop()
  await node.data.write(file, before)
}

/** One bit of a relation's first page changes on disk, while the server is stopped. @param file as `fileOf` gives it. */
export async function flipBit(node: PostgresNode, file: string): Promise<void> {
  const bytes = await node.data.read(file)
  const middle = PAGE_BYTES / 2
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  await node.data.write(file, bytes)
}

/**
 * Transactions are read-only unless they ask not to be, in every session: those that were open are ended.
 * @returns its repair; sessions that were opened meanwhile write again.
 */
export async function makeReadOnly(node: PostgresNode): Promise<Repair> {
  const name = 'default_transaction_read_only'
  const set = async (isReadOnly: boolean) => {
    const mark = node.log.length
    await node.configure({ [name]: isReadOnly })
    await node.reload()
    await node.log.waitFor(
      `${node.name} to read it`,
      new RegExp(`parameter "${name}" (changed|removed)`),
      'logLine',
      mark,
    )
  }
  await set(true)
  await node.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
  )
  return () => set(false)
}

/** A relation's first file, in the data directory. */
export async function fileOf(node: PostgresNode, database: string, relation: string): Promise<string> {
  const [row] = await queryIn(node, database, 'SELECT pg_relation_filepath($1) AS file', [relation])
  if (!row?.file) throw new Error(`${relation} has no file on ${node.name}`)
  return row.file
}

const PAGE_BYTES = 8192

async function queryIn(node: PostgresNode, database: string, sql: string, parameters?: unknown[]) {
  await using session = await node.session(database)
  return await session.query(sql, parameters)
}
