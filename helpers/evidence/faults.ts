import { SIGNAL_NAMES, type SignalName } from '../escalation/signal.ts'

/** A fault that a negative drill makes, and what must come of it. */
interface Fault {
  /** The id of the drill that makes it. */
  drill: string
  /** As the matrix names it: no two are alike. */
  fault: string
  /** The signals that must fire; all others must stay quiet. */
  fires: readonly SignalName[]
  /** What finds the fault where no signal is to, or finds it as well. */
  caughtBy?: string
}

const MISSING = 'missing-archive-segment'
const GROWTH = 'wal-growth-without-archiving'
const STALL = 'recovery-stall'
const REFUSED = 'refused before the restore'
const BY_MANIFEST = 'the manifest, before a start'
const BY_DATABASE = 'a look at the database'

/**
 * Every fault of the negative drills: the rows of the matrix, in their order. A drill that passes without having looked at each
 * of its faults is not passed.
 */
export const FAULTS = [
  { drill: 'N1', fault: 'segment lost between backup and target', fires: [MISSING] },
  { drill: 'N2', fault: 'segment lost beyond the target', fires: [MISSING] },
  { drill: 'N3', fault: 'segment lost before the backup', fires: [], caughtBy: 'stated as harmless' },
  { drill: 'N4', fault: 'first segment of the backup lost', fires: [MISSING] },
  { drill: 'N5', fault: 'segments lost all over the archive', fires: [MISSING] },
  { drill: 'N5h', fault: 'history file of a timeline lost', fires: [MISSING] },
  { drill: 'N6', fault: 'segment cut off in the middle', fires: [MISSING] },
  { drill: 'N6', fault: 'segment empty', fires: [MISSING] },
  { drill: 'N6r', fault: 'segment of another cluster', fires: [MISSING] },
  { drill: 'N6r', fault: 'segment filled with zeros', fires: [MISSING] },
  { drill: 'N6r', fault: 'one bit flipped in a record', fires: [MISSING] },
  { drill: 'N6r', fault: 'two segments swapped', fires: [MISSING] },
  { drill: 'N7', fault: 'archive_command exits with 1', fires: [GROWTH] },
  { drill: 'N7', fault: 'archive_command exits with 127', fires: [GROWTH] },
  { drill: 'N7', fault: "archive's folder not writable", fires: [GROWTH] },
  { drill: 'N7', fault: 'archive_command killed by a signal', fires: [GROWTH] },
  { drill: 'N7f', fault: 'archive full', fires: [GROWTH] },
  { drill: 'N7r', fault: 'archive mounted read-only', fires: [GROWTH] },
  { drill: 'N8', fault: 'archive_command stores nothing and succeeds', fires: [GROWTH, MISSING] },
  { drill: 'N8', fault: 'archive_command stores every third segment empty', fires: [GROWTH, MISSING] },
  { drill: 'N9', fault: 'archive_command hangs', fires: [GROWTH] },
  { drill: 'N10', fault: 'abandoned replication slot', fires: [], caughtBy: 'named as what holds pg_wal' },
  { drill: 'N10', fault: 'large wal_keep_size', fires: [], caughtBy: 'named as what holds pg_wal' },
  { drill: 'N10', fault: 'bulk load that archiving keeps up with', fires: [], caughtBy: 'named as load' },
  { drill: 'N10', fault: 'slow archive that takes one segment after another', fires: [], caughtBy: 'named as load' },
  { drill: 'N11', fault: 'restore_command hangs', fires: [STALL] },
  { drill: 'N11', fault: 'restore_command tries again without end', fires: [STALL] },
  { drill: 'N11', fault: 'standby mode asks without end', fires: [STALL] },
  { drill: 'N11', fault: 'slow restore_command', fires: [], caughtBy: 'time left told, against the RTO' },
  { drill: 'N12', fault: 'recovery paused by an operator', fires: [STALL] },
  { drill: 'N12', fault: 'recovery paused at its target', fires: [], caughtBy: 'where it was told to wait' },
  { drill: 'N12', fault: 'max_connections raised on the primary since', fires: [STALL] },
  { drill: 'N12', fault: 'max_connections lower than in the backup', fires: [STALL] },
  { drill: 'N13', fault: 'target LSN before the end of the backup', fires: [], caughtBy: REFUSED },
  { drill: 'N13', fault: 'target time before the end of the backup', fires: [], caughtBy: REFUSED },
  { drill: 'N13', fault: 'target LSN beyond the archive', fires: [], caughtBy: REFUSED },
  { drill: 'N13', fault: 'timeline that does not exist', fires: [], caughtBy: REFUSED },
  { drill: 'N13', fault: 'two targets', fires: [], caughtBy: REFUSED },
  { drill: 'N13', fault: 'target time after the last commit', fires: [], caughtBy: 'refused by PostgreSQL' },
  { drill: 'N13', fault: 'restore point that nobody made', fires: [], caughtBy: 'refused by PostgreSQL' },
  { drill: 'N14', fault: 'target dropped on the way', fires: [], caughtBy: 'where it stopped, and the ledger' },
  { drill: 'N14', fault: 'recovery without a target past a gap', fires: [MISSING], caughtBy: 'the ledger' },
  { drill: 'N14', fault: 'wrong timeline followed', fires: [], caughtBy: 'the segments read, and the ledger' },
  { drill: 'N15', fault: 'backup without one of its files', fires: [], caughtBy: BY_MANIFEST },
  { drill: 'N15', fault: 'file of the backup cut off', fires: [], caughtBy: BY_MANIFEST },
  { drill: 'N15', fault: 'file of the backup changed, its size kept', fires: [], caughtBy: BY_MANIFEST },
  { drill: 'N15', fault: 'backup without its backup_label', fires: [], caughtBy: BY_MANIFEST },
  { drill: 'N15', fault: 'manifest of the backup changed', fires: [], caughtBy: BY_MANIFEST },
  { drill: 'N16', fault: '/health answers 200 in recovery', fires: [], caughtBy: BY_DATABASE },
  { drill: 'N16', fault: '/health answers 200, database read-only', fires: [], caughtBy: BY_DATABASE },
  { drill: 'N16', fault: '/health answers 200, database unreachable', fires: [], caughtBy: BY_DATABASE },
  { drill: 'N16', fault: '/health answers 200, database empty', fires: [], caughtBy: BY_DATABASE },
  {
    drill: 'N17',
    fault: 'restored server set to archive into its source',
    fires: [],
    caughtBy: 'refused, archive unchanged',
  },
  { drill: 'N18', fault: 'second primary archives first', fires: [GROWTH] },
  { drill: 'N18', fault: 'second primary archives into a name that is taken', fires: [GROWTH] },
  { drill: 'N19', fault: 'target time noted on another clock', fires: [], caughtBy: 'resolved to its offset' },
  { drill: 'N19', fault: 'target time that names no one moment', fires: [], caughtBy: REFUSED },
  { drill: 'N19', fault: 'target time in the future', fires: [], caughtBy: REFUSED },
] as const satisfies readonly Fault[]

export type FaultName = (typeof FAULTS)[number]['fault']

/** Of one drill. */
export function faultsOf(drill: string): readonly (Fault & { fault: FaultName })[] {
  return FAULTS.filter(one => one.drill === drill)
}

/** @throws {RangeError} where the drill of that id does not make it. */
export function faultOf(drill: string, name: FaultName): Fault {
  const found = faultsOf(drill).find(({ fault }) => fault === name)
  if (!found) throw new RangeError(`the drill ${drill} has no fault '${name}': see FAULTS`)
  return found
}

/** The columns of the matrix. */
export { SIGNAL_NAMES }
