import type { Session } from '../postgres/session.ts'
import { ComposeServer } from './compose-server.ts'
import { DirectServer } from './direct-server.ts'
import type { LiveConfig } from './live-config.ts'

/** How long a session may hold the server up. */
export interface SessionLimits {
  /** Of one statement. */
  statementMs: number
  /** For a lock that somebody else holds. */
  lockMs: number
  /** In a transaction, between two statements. */
  idleInTransactionMs: number
}

/** A server that is in use, and that is only looked at. */
export interface LiveServer {
  /** For a sentence: `host:port/database`, or the Compose service. Never a secret. */
  readonly where: string
  /** What is worth knowing about the way there, a sentence each. */
  readonly warnings: readonly string[]
  /**
   * A session that writes nothing: its transactions are read-only unless somebody sets them otherwise.
   * @param database another one of the same server.
   * @throws {CannotRun} when it cannot be had, with what to do.
   */
  session(database?: string, limits?: Partial<SessionLimits>): Promise<Session>
}

/** Finds the way to it. Whether it can be gone is seen with the first session. @throws {CannotRun} where there is none. */
export async function openLive(config: LiveConfig): Promise<LiveServer> {
  return config.way === 'compose' ? await ComposeServer.find(config) : new DirectServer(config)
}
