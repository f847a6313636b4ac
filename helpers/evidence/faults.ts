import { SIGNAL_NAMES, type SignalName } from '../escalation/signal.ts'

/** A fault that a negative drill makes, and what must come of it. */
interface Fault {
  /** The id of the drill that makes it. */
  drill: string
  /** As the matrix names it: no two are alike. */
  fault: string
  /** The signals that must fire; all others must stay quiet. */
  fires: readonly SignalName[]
  /** What finds the fault where no signal is to, or what else is there to be seen. */
  caughtBy?: string
}

const MISSING = 'missing-archive-segment'
const GROWTH = 'wal-growth-without-archiving'

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
