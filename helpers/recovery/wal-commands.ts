import { Failure } from '../failure.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/** What PostgreSQL gives a restore_command for `%r` where there has been no restartpoint yet. */
const NO_RESTARTPOINT = '0'.repeat(24)

/** Where a restore_command that is run by hand is to put the file. */
const RESTORED = 'pg_wal/RESTOREDBYHAND'

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
  for (const name of names) await server.exec(asServerRuns(server, archiveCommand, { f: name, p: `pg_wal/${name}` }))
}

/**
 * What recovery would be given for a file of the archive, whatever the archive_command has made of it there.
 * @param restoreCommand with `%p` and `%f` still in it, ready for the server.
 * @throws {Failure} `command-failed` when the archive has no such file.
 * @see PostgreSQL source, `src/backend/access/transam/xlogarchive.c`, `RestoreArchivedFile`
 */
export async function restoreByHand(server: PostgresNode, name: string, restoreCommand: string): Promise<Buffer> {
  await server.exec(restoring(server, name, restoreCommand))
  const content = await server.data.read(RESTORED)
  await server.data.remove(RESTORED)
  return content
}

/**
 * A restore_command that succeeds for what the archive has not keeps recovery asking for one more timeline without end.
 * Asked for files of the last timeline there can be, which no archive has; on a server that is not running.
 * @throws {Failure} `restore-command-lies`.
 * @see PostgreSQL documentation, "restore_command"; `findNewestTimeLine` in `src/backend/access/transam/timeline.c`
 */
export async function assertRefusesWhatIsMissing(server: PostgresNode, restoreCommand: string): Promise<void> {
  for (const name of ['FFFFFFFF.history', 'FFFFFFFF0000000000000001']) {
    const answer = await server.exec(
      `(${restoring(server, name, restoreCommand)}) > /dev/null 2>&1 && test -e '${server.data.path}/${RESTORED}' && echo lies
       rm -f '${server.data.path}/${RESTORED}'`,
    )
    if (answer.trim() === 'lies')
      throw new Failure(
        'restore-command-lies',
        `restore_command exits with 0 and leaves a file for ${name}, which no archive has: let it exit with another status for what the archive does not have`,
        { name },
      )
  }
}

function restoring(server: PostgresNode, name: string, restoreCommand: string): string {
  return asServerRuns(server, restoreCommand, { f: name, p: RESTORED, r: NO_RESTARTPOINT })
}

/** As PostgreSQL runs its commands: in the data directory. */
function asServerRuns(server: PostgresNode, command: string, values: Record<string, string>): string {
  const script = command.replaceAll(/%([a-z%])/g, (text, letter) => (letter === '%' ? '%' : (values[letter] ?? text)))
  return `cd '${server.data.path}' && { ${script}\n}`
}
