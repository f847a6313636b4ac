import type { Evidence } from '../helpers/evidence/evidence.ts'

/** How long a run took; none of one that does not say when it ended. */
export function runSeconds({ startedAt, endedAt }: Pick<Evidence['run'], 'startedAt' | 'endedAt'>): number | undefined {
  return endedAt === undefined ? undefined : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000
}
