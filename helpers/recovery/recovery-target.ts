import type { Settings } from '../postgres/conf.ts'
import type { Lsn } from '../postgres/lsn.ts'

/**
 * The moment a recovery is to stop at. `inclusive` is what PostgreSQL calls `recovery_target_inclusive`: off stops just
 * before the record, on just after it.
 * @see PostgreSQL documentation, "Recovery Target"
 */
export type RecoveryTarget =
  | { kind: 'latest' }
  | { kind: 'immediate' }
  | { kind: 'lsn'; lsn: Lsn; inclusive: boolean }
  /** With an explicit offset, as `resolveTargetTime` gives it. */
  | { kind: 'time'; time: string; inclusive: boolean }
  | { kind: 'xid'; xid: string; inclusive: boolean }
  | { kind: 'name'; name: string }

export type RecoveryTargetAction = 'pause' | 'promote' | 'shutdown'

/**
 * Every `recovery_target*` setting but the timeline, unused ones empty: a `postgresql.auto.conf` that came with the backup of
 * a server which was itself recovered still holds the old ones, and two targets are refused. The one that is used stands
 * last: PostgreSQL takes even an empty one behind it for a second target.
 * @see PostgreSQL source, `assign_recovery_target_lsn` and its like in `src/backend/access/transam/xlogrecovery.c`
 */
export function targetSettings(target: RecoveryTarget, action: RecoveryTargetAction): Settings {
  const [used, value] = targetSetting(target)
  const unused = TARGETS.filter(name => name !== used)
  return {
    ...Object.fromEntries(unused.map(name => [name, ''])),
    recovery_target_inclusive: 'inclusive' in target ? target.inclusive : true,
    recovery_target_action: action,
    ...(used === undefined || value === undefined ? {} : { [used]: value }),
  }
}

const TARGETS = [
  'recovery_target',
  'recovery_target_lsn',
  'recovery_target_time',
  'recovery_target_xid',
  'recovery_target_name',
]

/** The names of those that settings name: more than one is refused. */
export function targetsAmong(settings: Settings): string[] {
  return TARGETS.filter(name => (settings[name] ?? '') !== '')
}

function targetSetting(target: RecoveryTarget): [name?: string, value?: string] {
  switch (target.kind) {
    case 'latest':
      return []
    case 'immediate':
      return ['recovery_target', 'immediate']
    case 'lsn':
      return ['recovery_target_lsn', target.lsn.toString()]
    case 'time':
      return ['recovery_target_time', target.time]
    case 'xid':
      return ['recovery_target_xid', target.xid]
    case 'name':
      return ['recovery_target_name', target.name]
  }
}

export function describeTarget(target: RecoveryTarget): string {
  const including = 'inclusive' in target ? (target.inclusive ? ', inclusive' : ', exclusive') : ''
  switch (target.kind) {
    case 'latest':
      return 'the end of the archive'
    case 'immediate':
      return 'the first consistent point'
    case 'lsn':
      return `LSN ${target.lsn}${including}`
    case 'time':
      return `time ${target.time}${including}`
    case 'xid':
      return `transaction ${target.xid}${including}`
    case 'name':
      return `restore point ${target.name}`
  }
}
