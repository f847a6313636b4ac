import { Lsn } from '../postgres/lsn.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/** What the server log tells of a recovery, with the time each line reached us (`performance.now()`, in milliseconds). */
export interface RecoveryEvents {
  redoStartedAtMs?: number
  redoStart?: Lsn
  consistentAtMs?: number
  /** Segments and history files that restore_command brought, in order. */
  restored: string[]
  stopped?: { atMs: number; side: 'before' | 'after' | 'at'; what: string; lsn?: Lsn }
  promotedAtMs?: number
}

/**
 * Follows a recovery from the server's log: before consistency there is no SQL.
 * @see PostgreSQL source, `src/backend/access/transam/xlogrecovery.c`, for the messages
 */
export function recoveryEvents(node: Pick<PostgresNode, 'log' | 'startMark'>): RecoveryEvents {
  const events: RecoveryEvents = { restored: [] }
  for (const { text, atMs } of node.log.since(node.startMark)) {
    const restored = /restored log file "([^"]+)" from archive/.exec(text)?.[1]
    if (restored !== undefined) events.restored.push(restored)
    const redo = /redo starts at ([0-9A-F]+\/[0-9A-F]+)/.exec(text)?.[1]
    if (redo !== undefined) Object.assign(events, { redoStartedAtMs: atMs, redoStart: Lsn.parse(redo) })
    if (/consistent recovery state reached/.test(text)) events.consistentAtMs ??= atMs
    const stop = /recovery stopping (before|after|at) (.*)$/.exec(text)
    if (stop) {
      const lsn = /WAL location \(LSN\) "([0-9A-F]+\/[0-9A-F]+)"/.exec(text)?.[1]
      events.stopped = {
        atMs,
        side: stop[1] as 'before' | 'after' | 'at',
        what: stop[2] ?? '',
        ...(lsn === undefined ? {} : { lsn: Lsn.parse(lsn) }),
      }
    }
    if (/archive recovery complete/.test(text)) events.promotedAtMs = atMs
  }
  return events
}
