import type { SessionLimits } from './live-server.ts'

export const APPLICATION_NAME = 'pg-recovery-drills'

const DEFAULT_LIMITS: SessionLimits = { statementMs: 15_000, lockMs: 2_000, idleInTransactionMs: 60_000 }

/** What every session on a live server is started with: libpq's `options`. @see PostgreSQL documentation, "Client Connection Defaults" */
export function sessionOptions(limits: Partial<SessionLimits> = {}): string {
  const { statementMs, lockMs, idleInTransactionMs } = { ...DEFAULT_LIMITS, ...limits }
  const settings = {
    default_transaction_read_only: 'on',
    statement_timeout: statementMs,
    lock_timeout: lockMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
  }
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}
