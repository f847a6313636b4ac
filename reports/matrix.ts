import type { Drill } from '../helpers/evidence/evidence.ts'
import { FAULTS, SIGNAL_NAMES } from '../helpers/evidence/faults.ts'

const HEAD = ['fault', ...SIGNAL_NAMES, 'what else finds it', 'drill']

/**
 * Faults down, signals across, as a table in Markdown: what each signal did at each fault, taken from what the drills saw. A cell
 * that no drill has looked at says so.
 */
export function matrixOf(drills: readonly Drill[]): string {
  const rows = FAULTS.map(row => {
    const drill = drills.find(({ id }) => id === row.drill)
    const seen = drill?.faults?.find(({ fault }) => fault === row.fault)
    const unseen = drill?.verdict === 'not exercised' ? 'not exercised' : 'not looked at'
    const cells = SIGNAL_NAMES.map(signal => {
      if (!seen) return unseen
      return seen.signals[signal] === 'fires' ? `**fires**${after(seen.secondsToFire[signal])}` : 'quiet'
    })
    return [row.fault, ...cells, 'caughtBy' in row ? row.caughtBy : '', row.drill]
  })
  return [HEAD, HEAD.map(() => '---'), ...rows]
    .map(row => `|${row.map(cell => cell && ` ${cell} `).join('|')}|\n`)
    .join('')
}

function after(seconds: number | undefined): string {
  return seconds === undefined ? '' : ` after ${seconds.toFixed(2)} s`
}
