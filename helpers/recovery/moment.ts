import { Failure } from '../failure.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { Moment } from '../workload/ledger.ts'
import type { PausedAtTarget } from './recovery-end.ts'
import type { RecoveryTarget } from './recovery-target.ts'

/**
 * The moment of the ledger that a recovery must have come to.
 * @param restorePointLsn what `pg_create_restore_point` gave, of a target by name.
 * @throws {Failure} `target-not-reached` when the log does not give the record that an inclusive recovery stopped after.
 */
export function momentOf(
  target: Exclude<RecoveryTarget, { kind: 'latest' }>,
  { stopped, replayLsn }: PausedAtTarget,
  restorePointLsn?: Lsn,
): Moment {
  switch (target.kind) {
    case 'time':
      return { time: target.time }
    case 'xid':
      return { xid: target.xid, inclusive: target.inclusive }
    case 'lsn':
      if (!target.inclusive) return { lsn: target.lsn, inclusive: false }
      if (!stopped.lsn)
        throw new Failure(
          'target-not-reached',
          `the log does not say which record recovery stopped after: ${stopped.what}`,
        )
      return { lsn: target.lsn, inclusive: true, stoppedAfter: stopped.lsn }
    case 'name':
      if (!restorePointLsn) throw new RangeError(`nobody noted the LSN of the restore point ${target.name}`)
      return { lsn: restorePointLsn, inclusive: false }
    case 'immediate':
      return { lsn: replayLsn, inclusive: false }
  }
}
