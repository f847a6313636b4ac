import pg from 'pg'
import { Failure } from '../failure.ts'
import type { Connection } from '../postgres/session.ts'
import { isRefusedByHba } from './replication.ts'

/** Why a server would not begin a base backup, in one sentence that says what to do. */
export function explainRefusal(cause: unknown, { host, port, user }: Connection): Failure {
  const code = codeOf(cause)
  return new Failure(
    'backup-refused',
    `no base backup can be taken: ${reasonOf(cause, code, user, `${host}:${port}`)}`,
    { code, user, serverMessage: messageOf(cause) },
    { cause },
  )
}

/** @see PostgreSQL source, `src/backend/utils/init/postinit.c` (`InitPostgres`), `src/backend/storage/lmgr/proc.c` (`InitProcess`) */
function reasonOf(cause: unknown, code: string, user: string, address: string): string {
  const message = messageOf(cause)
  if (code === '42501') return `role ${user} lacks the attribute REPLICATION (ALTER ROLE … REPLICATION gives it)`
  if (code === '53300' && message.includes('max_wal_senders')) {
    const limit = /currently (\d+)/.exec(message)?.[1]
    return limit === '0'
      ? 'max_wal_senders is 0 on the server, which takes no replication connection then (raise it and restart the server)'
      : `all ${limit} of the server's max_wal_senders are taken (raise it, or end a replication connection)`
  }
  if (isRefusedByHba(cause))
    return `the server's pg_hba.conf lets role ${user} in neither for replication nor for its database (add a line, and reload the server)`
  if (code === '28P01') return `the server did not accept the password of role ${user}`
  if (code === 'ECONNREFUSED') return `no server answers at ${address}`
  return message
}

/** What ended a base backup after it had begun. */
export function explainInterruption(cause: unknown, receivedBytes: number): Failure {
  const why =
    cause instanceof pg.DatabaseError
      ? `the server gave it up: ${cause.message}`
      : `the connection to the server was lost: ${messageOf(cause)}`
  return new Failure(
    'backup-interrupted',
    `the base backup did not end (${receivedBytes} bytes had come): ${why}`,
    { code: codeOf(cause), receivedBytes, serverMessage: messageOf(cause) },
    { cause },
  )
}

/** Why the store did not take a base backup. */
export function explainStoreFailure(cause: unknown): Failure {
  const isFull = /ENOSPC|no space left/i.test(messageOf(cause))
  return new Failure(
    'backup-not-stored',
    isFull
      ? 'the store has no room for the base backup'
      : `the base backup could not be written to the store: ${messageOf(cause)}`,
    { isFull },
    { cause },
  )
}

function codeOf(cause: unknown): string {
  return String((cause as { code?: unknown } | undefined)?.code ?? '')
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
