import type { Drill, Verdict } from '../helpers/evidence/evidence.ts'

/** In the order in which they are told. */
export const VERDICTS: readonly Verdict[] = ['passed', 'failed', 'unknown', 'not exercised']

export function countOf(verdict: Verdict, drills: readonly Pick<Drill, 'verdict'>[]): number {
  return drills.filter(drill => drill.verdict === verdict).length
}

/** `3 passed, 1 failed`: of each verdict that there is; empty without a drill. */
export function verdictCounts(drills: readonly Pick<Drill, 'verdict'>[]): string {
  return VERDICTS.map(verdict => ({ verdict, count: countOf(verdict, drills) }))
    .filter(({ count }) => count > 0)
    .map(({ verdict, count }) => `${count} ${verdict}`)
    .join(', ')
}
