import { Lsn } from '../postgres/lsn.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'

/**
 * Pauses replay where it is. The server pauses when it comes to its next record, and one that waits for WAL comes to none
 * by itself.
 * @param goOn lets it come to its next record, once the pause has been asked for.
 * @returns the LSN replayed to. It does not move until replay is resumed.
 * @see PostgreSQL documentation, "Recovery Control Functions"
 */
export async function pauseReplay(node: PostgresNode, goOn: () => Promise<void>): Promise<Lsn> {
  await using session = await node.session()
  await session.query('SELECT pg_wal_replay_pause()')
  await goOn()
  let state: string | null | undefined
  const replayed = await waitFor(
    `${node.name} to pause its replay`,
    'recoveryEnd',
    async () => {
      const row = await session.one(
        'SELECT pg_get_wal_replay_pause_state() AS state, pg_last_wal_replay_lsn() AS replayed',
      )
      state = row.state
      return state === 'paused' ? (row.replayed ?? undefined) : undefined
    },
    () => `its state as ${state}`,
  )
  return Lsn.parse(replayed)
}
