import { Failure } from '../failure.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { waitFor } from '../wait.ts'
import { recoveryEvents } from './recovery-events.ts'
import { describeTarget, type RecoveryTarget } from './recovery-target.ts'
import { assertStop, type Stop } from './stop.ts'

const GIVEN_UP = /\] (?:startup|postmaster) (?:FATAL|PANIC): {2}(.*)/
const END = new RegExp(
  `(shutdown at recovery target)|pausing at the end of recovery|archive recovery complete|${GIVEN_UP.source}`,
)

/**
 * Waits until a server whose recovery is to shut it down at its target has ended, and proves from its log that it was there.
 * @throws {Failure} `recovery-refused` when the server gives up; `not-shut-down` when it pauses or promotes instead;
 *   `target-not-reached`, `recovered-past-target` or `wrong-target` when it stopped elsewhere.
 * @see PostgreSQL documentation, "recovery_target_action"
 */
export async function untilShutDownAt(node: PostgresNode, target: RecoveryTarget): Promise<Stop> {
  const [line, isShutDown, refusal] = await node.waitForLog('recovery to come to its end', END, 'recoveryEnd')
  if (refusal !== undefined) throw new Failure('recovery-refused', `${node.name} refused to recover: ${refusal}`)
  const { stopped } = recoveryEvents(node)
  if (isShutDown === undefined || !stopped)
    throw new Failure('not-shut-down', `${node.name} did not shut down at ${describeTarget(target)}: ${line}`, {
      target: describeTarget(target),
      stopped: stopped?.what ?? null,
    })
  await waitFor(`${node.name} to have shut down`, 'fastShutdown', () => (node.isRunning ? undefined : true))
  assertStop(node.name, target, stopped)
  return stopped
}
