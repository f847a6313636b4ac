import type { PostgresNode } from '../runtime/postgres-node.ts'
import { WAIT_AT_GATE } from './command-gate.ts'
import type { Repair } from './repair.ts'

/** What becomes of an archive_command that worked. With `%p` and `%f` in it, as PostgreSQL takes it. */
export type CommandFault = (command: string) => string

/**
 * Above 125 PostgreSQL takes it for a command that cannot be run: its archiver ends, and is started again at the earliest 10 s
 * after it was started last.
 * @see PostgreSQL source, `wait_result_is_any_signal` in `src/common/wait_error.c`, `PgArchCanRestart` in `src/backend/postmaster/pgarch.c`
 */
export const failWith =
  (exitStatus: number): CommandFault =>
  () =>
    `echo "drill: %f is not stored" >&2; exit ${exitStatus}`

/** The command's shell is killed, and the archiver ends as it does with an exit status above 125. */
export const killBySignal =
  (signal: 'TERM' | 'KILL'): CommandFault =>
  () =>
    `kill -s ${signal} $$`

/** It succeeds, and stores nothing. */
export const storeNothing: CommandFault = () => 'true'

/** It succeeds, and of a third of all segments stores only the name. The last digit tells which: of any three neighbours at least one. */
export const storeThirdEmpty =
  (archive: string): CommandFault =>
  command =>
    `case %f in *[0369CF]) : > "${archive}/%f" ;; *) ${command} ;; esac`

/** It does not end while the server's gate is closed. */
export const hangAtGate: CommandFault = command => `${WAIT_AT_GATE}; ${command}`

/** It works, and takes so much longer. */
export const slowDown =
  (seconds: number): CommandFault =>
  command =>
    `sleep ${seconds}; ${command}`

/**
 * Gives a running server another archive_command. What is finished from then on is archived with that: the postmaster passes
 * the reload on to its archiver before it takes the next connection.
 * @param command the one that works, with `%p` and `%f` in it.
 * @returns its repair: the one that works, and a reload. That also wakes an archiver that has failed three times and would sleep
 *   for up to 60 s.
 * @see PostgreSQL source, `pgarch_MainLoop` and `PGARCH_AUTOWAKE_INTERVAL` in `src/backend/postmaster/pgarch.c`
 */
export async function breakArchiveCommand(server: PostgresNode, command: string, fault: CommandFault): Promise<Repair> {
  const give = async (archiveCommand: string) => {
    await server.configure({ archive_command: archiveCommand })
    await server.reload()
  }
  await give(fault(command))
  return () => give(command)
}
