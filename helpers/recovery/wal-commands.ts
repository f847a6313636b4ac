import type { PostgresNode } from '../runtime/postgres-node.ts'

/** What PostgreSQL gives a restore_command for `%r` where there has been no restartpoint yet. */
const NO_RESTARTPOINT = '0'.repeat(24)

/**
 * Stores files of a server's `pg_wal` as its archiver would: the server may be dead.
 * @param archiveCommand with `%p` and `%f` still in it, ready for the server.
 * @throws {Failure} `command-failed` when the command does not store one.
 * @see PostgreSQL source, `src/backend/archive/shell_archive.c`
 */
export async function archiveByHand(
  server: PostgresNode,
  names: readonly string[],
  archiveCommand: string,
): Promise<void> {
  for (const name of names) await runByHand(server, archiveCommand, { f: name, p: `pg_wal/${name}` })
}

/**
 * What recovery would be given for a file of the archive, whatever the archive_command has made of it there.
 * @param restoreCommand with `%p` and `%f` still in it, ready for the server.
 * @throws {Failure} `command-failed` when the archive has no such file.
 * @see PostgreSQL source, `src/backend/access/transam/xlogarchive.c`, `RestoreArchivedFile`
 */
export async function restoreByHand(server: PostgresNode, name: string, restoreCommand: string): Promise<Buffer> {
  const path = 'pg_wal/RESTOREDBYHAND'
  await runByHand(server, restoreCommand, { f: name, p: path, r: NO_RESTARTPOINT })
  const content = await server.data.read(path)
  await server.data.remove(path)
  return content
}

/** As PostgreSQL runs its commands: in the data directory. */
async function runByHand(server: PostgresNode, command: string, values: Record<string, string>): Promise<void> {
  const script = command.replaceAll(/%([a-z%])/g, (text, letter) => (letter === '%' ? '%' : (values[letter] ?? text)))
  await server.exec(`cd '${server.data.path}' && { ${script}\n}`)
}
