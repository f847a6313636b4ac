import type { Drill, FaultSeen, Verdict } from '../helpers/evidence/evidence.ts'
import { FAULTS, SIGNAL_NAMES } from '../helpers/evidence/faults.ts'

const HEAD = ['fault', ...SIGNAL_NAMES, 'what else finds it', 'drill']

/** A fault, and what a drill saw of it. */
export interface MatrixRow {
  fault: string
  drill: string
  /** Of the drill that makes it; none where that is not in the run. */
  verdict?: Verdict
  caughtBy: string
  seen?: FaultSeen
  /** Why nothing was seen. */
  unseen: string
}

/** Every fault in the order of the matrix, and what `drills` saw of it. */
export function matrixRows(drills: readonly Drill[]): MatrixRow[] {
  return FAULTS.map(row => {
    const drill = drills.find(({ id }) => id === row.drill)
    const seen = drill?.faults?.find(({ fault }) => fault === row.fault)
    return {
      fault: row.fault,
      drill: row.drill,
      ...(drill && { verdict: drill.verdict }),
      caughtBy: 'caughtBy' in row ? row.caughtBy : '',
      ...(seen && { seen }),
      unseen: drill?.verdict === 'not exercised' ? 'not exercised' : 'not looked at',
    }
  })
}

/**
 * Faults down, signals across, as a table in Markdown: what each signal did at each fault, taken from what the drills saw. A cell
 * that no drill has looked at says so.
 */
export function matrixOf(drills: readonly Drill[]): string {
  const rows = matrixRows(drills).map(({ fault, drill, caughtBy, seen, unseen }) => {
    const cells = SIGNAL_NAMES.map(signal => {
      if (!seen) return unseen
      return seen.signals[signal] === 'fires' ? `**fires**${after(seen.secondsToFire[signal])}` : 'quiet'
    })
    return [fault, ...cells, caughtBy, drill]
  })
  return [HEAD, HEAD.map(() => '---'), ...rows]
    .map(row => `|${row.map(cell => cell && ` ${cell} `).join('|')}|\n`)
    .join('')
}

function after(seconds: number | undefined): string {
  return seconds === undefined ? '' : ` after ${seconds.toFixed(2)} s`
}
