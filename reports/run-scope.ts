import { declaredDrills } from '../helpers/evidence/declared-drills.ts'
import type { Evidence } from '../helpers/evidence/evidence.ts'
import { counted } from './layout.ts'

/**
 * What a run was of, where that is less than a nightly run: `3 of 45 drills: the core`. None of a whole one, of one on a backup of the
 * user, and of one with sabotages. The drills of a nightly run are counted as the suite has them now.
 */
export function scopeOf({ run, drills }: Pick<Evidence, 'run' | 'drills'>): string | undefined {
  const { kind, selection, state } = run
  if (kind === 'live' || kind === 'sabotage' || (kind === 'nightly' && selection.length === 0)) return undefined
  const part = drills.length + filesNotBegun(run)
  if (kind === 'soak') return `${counted(part, 'drill')} of the soak alone`
  const all = counted(declaredDrills().filter(({ tags }) => tags.includes('nightly')).length, 'drill')
  const what = [kind === 'core' && 'the core', selection.length > 0 && `a selection, ${selection.join(', ')}`]
  // While it runs, nobody has counted what is still to come.
  const count = state === 'running' ? 'not all of' : `${part} of`
  return `${count} ${all}: ${what.filter(one => one !== false).join(', ')}`
}

/** How many files with drills that were to be run were not even loaded. */
export function filesNotBegun({ problems }: Pick<Evidence['run'], 'problems'>): number {
  return problems.filter(({ kind }) => kind === 'file-not-run').length
}
