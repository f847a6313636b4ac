import type { Drill, Evidence } from '../helpers/evidence/evidence.ts'

/** Whether a run can show anything at all, and else why not, as the second half of a sentence. */
export type Worth = { isEvidence: true } | { isEvidence: false; why: string }

/** A run that was cut off, or in which something was broken on purpose, proves nothing, whichever of its drills passed. */
export function worthOf({ run, drills }: Evidence): Worth {
  if (run.kind === 'sabotage' || drills.some(({ sabotage }) => sabotage !== undefined))
    return { isEvidence: false, why: 'in this run something was broken on purpose, and it proves nothing else' }
  if (run.state === 'running')
    return { isEvidence: false, why: 'this run has not ended, or was cut off without a word' }
  if (run.state === 'interrupted') return { isEvidence: false, why: 'this run was cut off' }
  return { isEvidence: true }
}

/** The drill of that id, if it was part of the run. Of two that bear one id, which cannot be told apart, one that did not pass. */
export function drillOf({ drills }: Pick<Evidence, 'drills'>, id: string): Drill | undefined {
  const found = drills.filter(drill => drill.id === id)
  return found.find(({ verdict }) => verdict !== 'passed') ?? found[0]
}
