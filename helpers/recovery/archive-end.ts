import type { Deadline } from '../deadlines.ts'
import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { recoveryEvents } from './recovery-events.ts'

/** What the log says of a recovery without a target. */
export interface ReachedEnd {
  /** Files that restore_command brought, in order. */
  restored: readonly string[]
  /** Where the last record that was replayed starts. */
  redoDone: Lsn | undefined
  /** What recovery stopped at, where it had a target after all. */
  stopped: string | undefined
}

/**
 * Recovery read the archive to its end: the last segment that it got is the archive's last, and the last record it replayed
 * is in there.
 * @throws {Failure} `stopped-at-target` when it had a target, `archive-end-not-reached` when it ended before.
 */
export function assertReachedEnd(name: string, { restored, redoDone, stopped }: ReachedEnd, last: WalSegment): void {
  if (stopped !== undefined)
    throw new Failure(
      'stopped-at-target',
      `${name} was to recover to the end of the archive, and stopped at ${stopped}`,
    )
  const lastRestored = restored.filter(file => /^[0-9A-F]{24}$/.test(file)).at(-1)
  const evidence = { lastRestored: lastRestored ?? null, last: last.name, redoDone: redoDone?.toString() ?? null }
  if (lastRestored !== last.name || !redoDone || redoDone.isBefore(last.start))
    throw new Failure(
      'archive-end-not-reached',
      `${name} promoted after ${lastRestored ?? 'no segment'}, redo done at ${redoDone ?? 'no record'}, before the end of the archive in ${last}`,
      evidence,
    )
}

/**
 * Waits until a recovery without a target has promoted by itself, and proves that it did so at the archive's end.
 * @throws {Failure} as `assertReachedEnd`; `deadline-passed` when it does not promote.
 */
export async function untilReachedEnd(
  node: PostgresNode,
  last: WalSegment,
  deadline: Deadline = 'promotion',
): Promise<ReachedEnd> {
  await node.waitForLog(`${node.name} to accept writes`, /database system is ready to accept connections/, deadline)
  const { restored, stopped } = recoveryEvents(node)
  const redoDone = node.log.find(/redo done at ([0-9A-F]+\/[0-9A-F]+)/, node.startMark)?.[1]
  const reached = { restored, stopped: stopped?.what, redoDone: redoDone ? Lsn.parse(redoDone) : undefined }
  assertReachedEnd(node.name, reached, last)
  return reached
}
