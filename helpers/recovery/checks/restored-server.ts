import type { PostgresNode } from '../../runtime/postgres-node.ts'
import type { ServerCheck } from './check.ts'
import { checkCollations } from './collations.ts'
import { checkDataChecksums } from './data-checksums.ts'
import { Databases } from './databases.ts'
import { checkExtensions } from './extensions.ts'
import { checkIndexes } from './indexes.ts'
import { checkPreparedTransactions } from './prepared-transactions.ts'
import { checkSequences } from './sequences.ts'
import { checkStructure } from './structure.ts'
import { checkUnloggedTables } from './unlogged-tables.ts'

/**
 * All that a restored server is put through, whoever's backup it was restored from: to be done once it is promoted, as a
 * superuser. Nothing is changed.
 * @param expected.preparedTransactions global identifiers that somebody is known to end.
 */
export async function checkRestoredServer(
  server: Pick<PostgresNode, 'session'>,
  { preparedTransactions = [] }: { preparedTransactions?: readonly string[] } = {},
): Promise<ServerCheck[]> {
  await using databases = await Databases.open(server)
  return [
    // First: later ones read pages, and a page is read from disk once.
    await checkDataChecksums(databases),
    await checkStructure(databases),
    await checkIndexes(databases),
    await checkCollations(databases),
    await checkExtensions(databases),
    await checkSequences(databases),
    await checkUnloggedTables(databases),
    await checkPreparedTransactions(databases, preparedTransactions),
  ]
}
