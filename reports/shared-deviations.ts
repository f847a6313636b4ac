import type { Deviation, Drill, Evidence } from '../helpers/evidence/evidence.ts'

/** A deviation from the runbook that one drill or more needed. */
export interface SharedDeviation {
  deviation: Deviation
  drills: readonly Drill[]
}

/** Each deviation once, in the order of the runbook's steps; of one step, what most drills needed first. */
export function sharedDeviations({ drills }: Pick<Evidence, 'drills'>): SharedDeviation[] {
  const found = new Map<string, { deviation: Deviation; drills: Set<Drill> }>()
  for (const drill of drills)
    for (const deviation of drill.deviations) {
      const key = keyOf(deviation)
      const known = found.get(key) ?? { deviation, drills: new Set() }
      found.set(key, known)
      known.drills.add(drill)
    }
  return [...found.values()]
    .toSorted(
      (a, b) =>
        a.deviation.section.localeCompare(b.deviation.section, 'en', { numeric: true }) ||
        b.drills.size - a.drills.size,
    )
    .map(({ deviation, drills }) => ({ deviation, drills: [...drills] }))
}

function keyOf({ section, what, why, proposedText }: Deviation): string {
  return JSON.stringify([section, what, why, proposedText])
}
