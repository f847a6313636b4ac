import type { Drill, Rpo, Rto } from '../../helpers/evidence/evidence.ts'
import { median } from '../median.ts'

/** What the drills of a run measured of one kind. */
export interface Measure<M extends Rto | Rpo> {
  worst: { drill: Drill; measured: M }
  medianSeconds: number
  drills: readonly Drill[]
  /** Missed when one drill missed it. */
  verdict: M['verdict']
}

/** None where no drill measured it. */
export function measureOf<K extends 'rto' | 'rpo'>(
  drills: readonly Drill[],
  kind: K,
): Measure<NonNullable<Drill[K]>> | undefined {
  const all = drills.flatMap(drill => {
    const measured = drill[kind] as NonNullable<Drill[K]> | undefined
    return measured ? [{ drill, measured }] : []
  })
  const sorted = all.toSorted((a, b) => b.measured.seconds - a.measured.seconds)
  const [worst] = sorted
  if (!worst) return undefined
  const verdicts = all.map(({ measured }) => measured.verdict)
  return {
    worst,
    medianSeconds: median(sorted.map(({ measured }) => measured.seconds)),
    drills: all.map(({ drill }) => drill),
    verdict: (['missed', 'met at this size'] as const).find(one => verdicts.includes(one)) ?? 'no objective',
  }
}
