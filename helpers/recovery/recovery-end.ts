import type { Deadline } from '../deadlines.ts'
import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Row } from '../postgres/session.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'
import { type RecoveryEvents, recoveryEvents } from './recovery-events.ts'
import { describeTarget, type RecoveryTarget } from './recovery-target.ts'
import { assertStop } from './stop.ts'

/** What is known of a server that has come to its recovery target and waits there. */
export interface PausedAtTarget {
  replayLsn: Lsn
  /** What the log gives after "recovery stopping before" or "after". */
  stopped: NonNullable<RecoveryEvents['stopped']>
  replayedBytes: number
  replaySeconds: number
}

/** A client that is turned away leaves a FATAL line too: only the startup process and the postmaster speak for recovery. */
const GIVEN_UP = /\] (?:startup|postmaster) (?:FATAL|PANIC): {2}(.*)/
const END = new RegExp(`pausing at the end of recovery|archive recovery complete|shutting down|${GIVEN_UP.source}`)

/**
 * Waits until recovery pauses at its target, and proves it: the server is in recovery, its pause state is `paused`, and
 * replay has come up to the target and not past it. Equality with the target is not asked for: it does not hold where
 * the next record begins on another page or segment.
 * @throws {Failure} `recovery-refused` when the server gives up, with PostgreSQL's message and the segment it lacked;
 *   `recovered-past-target` when it replays too far; `target-not-reached` when it stops short; `not-paused` when it
 *   promotes by itself at its target, or the proof does not hold.
 */
export async function untilPausedAt(
  node: PostgresNode,
  target: RecoveryTarget,
  deadline: Deadline = 'recoveryEnd',
): Promise<PausedAtTarget> {
  await untilRecoveryEnds(node, deadline)
  const events = recoveryEvents(node)
  const { stopped } = events
  if (events.promotedAtMs !== undefined) {
    const evidence = { target: describeTarget(target), restored: events.restored }
    throw stopped
      ? new Failure(
          'not-paused',
          `${node.name} came to its target (recovery stopped ${stopped.side} ${stopped.what}) and promoted itself instead of pausing`,
          evidence,
        )
      : pastTarget(node, target, events)
  }
  if (!stopped)
    throw new Failure(
      'not-paused',
      `${node.name} paused, but its log does not say where recovery stopped:\n${node.log.tail(node.startMark)}`,
    )
  const state = await pausedState(node)
  const replayLsn = Lsn.parse(state.replay ?? '')
  if (state.recovering !== 't')
    throw new Failure('recovered-past-target', `${node.name} is no longer in recovery`, {
      replayLsn: replayLsn.toString(),
    })
  assertSide(node, target, replayLsn, stopped)
  return {
    replayLsn,
    stopped,
    replayedBytes: events.redoStart ? Number(replayLsn.minus(events.redoStart)) : 0,
    replaySeconds: (stopped.atMs - (events.redoStartedAtMs ?? stopped.atMs)) / 1000,
  }
}

/** @throws {Failure} `recovery-refused` unless recovery pauses, promotes or shuts down by its own action. */
async function untilRecoveryEnds(node: PostgresNode, deadline: Deadline = 'recoveryEnd'): Promise<void> {
  const end = await node.waitForLog('recovery to come to its end', END, deadline)
  if (GIVEN_UP.test(end[0])) throw await refusal(node)
}

/**
 * Waits until a recovery whose action is to promote has done so and the server accepts writes, and proves from the log that
 * it stopped at its target and not at the end of what there was.
 * @throws {Failure} `recovery-refused` when the server gives up; `recovered-past-target` or `target-not-reached` when it
 *   stopped elsewhere.
 */
export async function untilPromotedAt(node: PostgresNode, target: RecoveryTarget): Promise<RecoveryEvents> {
  await untilRecoveryEnds(node)
  await node.waitForLog(`${node.name} to accept writes`, /database system is ready to accept connections/, 'promotion')
  const events = recoveryEvents(node)
  if (!events.stopped) throw pastTarget(node, target, events)
  assertStop(node.name, target, events.stopped)
  return events
}

/**
 * Waits until a recovery that cannot reach its target gives up.
 * @returns the failure that a drill of a recovery would have ended with.
 * @throws {Failure} `not-refused` when the server promotes or pauses instead, with the last segment it got.
 */
export async function untilRefused(node: PostgresNode): Promise<Failure> {
  const [end] = await node.waitForLog('recovery to give up', END, 'recoveryEnd')
  if (!GIVEN_UP.test(end)) {
    const lastRestored = lastSegmentOf(recoveryEvents(node))
    throw new Failure(
      'not-refused',
      `${node.name} did not refuse to recover, having got no further than ${lastRestored ?? 'its backup'}: ${end}`,
      { lastRestored: lastRestored ?? null, log: node.log.tail(node.startMark) },
    )
  }
  return await refusal(node)
}

async function refusal(node: PostgresNode): Promise<Failure> {
  const line = node.log.find(GIVEN_UP, node.startMark)
  await waitFor(`${node.name} to end`, 'processGone', () => (node.isRunning ? undefined : true))
  const events = recoveryEvents(node)
  const lastRestored = lastSegmentOf(events)
  return new Failure(
    'recovery-refused',
    `${node.name} refused to recover: ${line?.[1]}${lastRestored ? ` (the last segment that restore_command brought is ${lastRestored})` : ' (restore_command brought no segment at all)'}`,
    {
      message: line?.[1] ?? null,
      lastRestored: lastRestored ?? null,
      stopped: events.stopped?.what ?? null,
      log: node.log.tail(node.startMark),
    },
  )
}

function lastSegmentOf({ restored }: RecoveryEvents): string | undefined {
  return restored.filter(name => /^[0-9A-F]{24}$/.test(name)).at(-1)
}

/** PostgreSQL writes that it pauses a moment before it says so to a query. */
async function pausedState(node: PostgresNode): Promise<Row> {
  await using session = await node.session()
  let last: Row = {}
  return await waitFor(
    `${node.name} to be paused`,
    'recoveryEnd',
    async () => {
      last = await session.one(
        'SELECT pg_is_in_recovery() AS recovering, CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS state, pg_last_wal_replay_lsn() AS replay',
      )
      return last.state === 'paused' || last.recovering !== 't' ? last : undefined
    },
    () => JSON.stringify(last),
  )
}

function assertSide(
  node: PostgresNode,
  target: RecoveryTarget,
  replayLsn: Lsn,
  stopped: PausedAtTarget['stopped'],
): void {
  assertStop(node.name, target, stopped)
  if (target.kind !== 'lsn') return
  const evidence = { target: target.lsn.toString(), replayLsn: replayLsn.toString(), stopped: stopped.what }
  if (!target.inclusive && target.lsn.isBefore(replayLsn)) {
    throw new Failure(
      'recovered-past-target',
      `${node.name} has replayed up to ${replayLsn}, past ${describeTarget(target)}`,
      evidence,
    )
  }
  if (target.inclusive && replayLsn.isAtOrBefore(target.lsn)) {
    throw new Failure(
      'target-not-reached',
      `${node.name} has replayed up to ${replayLsn} only, short of ${describeTarget(target)}`,
      evidence,
    )
  }
}

function pastTarget(node: PostgresNode, target: RecoveryTarget, { restored }: RecoveryEvents): Failure {
  return new Failure(
    'recovered-past-target',
    `${node.name} did not stop at ${describeTarget(target)}: it replayed all it could get and promoted itself`,
    { target: describeTarget(target), restored },
  )
}
