import { Failure } from '../failure.ts'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import type { RecoveryEvents } from './recovery-events.ts'
import { describeTarget, type RecoveryTarget } from './recovery-target.ts'

/** Where the log says that recovery stopped. */
export type Stop = Pick<NonNullable<RecoveryEvents['stopped']>, 'side' | 'what' | 'lsn'>

/**
 * The record that the log says recovery stopped at is the target's, or the first past it, and recovery stopped on the right
 * side of it. A time target always stops before a transaction's end: the first of that very microsecond, or the first after.
 * @param name of the server, for the message.
 * @throws {Failure} `target-not-reached` when recovery stopped short of the target, `recovered-past-target` when past it,
 *   `wrong-target` when at a target of another kind or name, or at another transaction.
 * @see PostgreSQL source, `recoveryStopsBefore` and `recoveryStopsAfter` in `xlogrecovery.c`
 */
export function assertStop(name: string, target: RecoveryTarget, stopped: Stop): void {
  const problem = problemOf(target, stopped)
  if (problem)
    throw new Failure(
      problem.kind,
      `${name} stopped ${stopped.side} ${stopped.what}, ${problem.relation} ${describeTarget(target)}`,
      { target: describeTarget(target), stopped: `${stopped.side} ${stopped.what}` },
    )
}

interface Problem {
  kind: 'target-not-reached' | 'recovered-past-target' | 'wrong-target'
  /** Stands between where recovery stopped and the target. */
  relation: string
}

function problemOf(target: RecoveryTarget, stopped: Stop): Problem | undefined {
  switch (target.kind) {
    case 'latest':
      return { kind: 'target-not-reached', relation: 'short of' }
    case 'immediate':
      return stopped.what === 'reaching consistency' ? undefined : OTHER
    case 'name':
      return RESTORE_POINT.exec(stopped.what)?.[1] === target.name ? undefined : OTHER
    case 'lsn':
      if (!stopped.lsn) return OTHER
      if (stopped.lsn.isBefore(target.lsn)) return SHORT
      return problemOfSide(target.inclusive, stopped)
    case 'xid': {
      const xid = transactionOf(stopped)?.xid
      return xid === BigInt.asUintN(32, BigInt(target.xid)) ? problemOfSide(target.inclusive, stopped) : OTHER
    }
    case 'time': {
      const transaction = transactionOf(stopped)
      if (!transaction || stopped.side !== 'before') return OTHER
      const end = serverTimeMicroseconds(target.time)
      if (transaction.time > end || (!target.inclusive && transaction.time === end)) return undefined
      return SHORT
    }
  }
}

const SHORT: Problem = { kind: 'target-not-reached', relation: 'short of' }
const OTHER: Problem = { kind: 'wrong-target', relation: 'which is not' }

function problemOfSide(inclusive: boolean, { side }: Stop): Problem | undefined {
  const right = inclusive ? 'after' : 'before'
  if (side === right) return undefined
  return { kind: inclusive ? 'target-not-reached' : 'recovered-past-target', relation: `instead of ${right}` }
}

/** The name stands in the log as it was given, quotes in it too. */
const RESTORE_POINT = /^restore point "(.*)", time [^"]*$/
const TRANSACTION = /^(?:commit|abort) of transaction (\d+), time (.+)$/

/** The log has 32 bits of a transaction's ID. */
function transactionOf({ what }: Stop): { xid: bigint; time: bigint } | undefined {
  const [, xid, time] = TRANSACTION.exec(what) ?? []
  return xid === undefined || time === undefined ? undefined : { xid: BigInt(xid), time: serverTimeMicroseconds(time) }
}
