import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { drillOf, worthOf } from '../worth.ts'
import { type RunbookStep, readRunbook } from './runbook.ts'
import { type Doer, STEPS } from './steps.ts'

/**
 * What a run has to show for a step. `proven`: a drill that does it passed. Of what no drill proved: `failed` before `unknown`, which a
 * drill also is that passed in a run that proves nothing, before `not exercised`. Without a drill that does it, it is `not part of this
 * run`; of a run that was cut off nobody knows whether it would have been, and it is `not begun`.
 */
export type StepOutcome = Exclude<Verdict, 'passed'> | 'proven' | 'not part of this run' | 'not begun'

/** A step of the runbook, and what this run has to show for it. */
export interface StepCoverage extends RunbookStep {
  /** Those of the run that do it. */
  drills: readonly { id: string; verdict: Verdict; at: string }[]
  outcome: StepOutcome
}

const RUNBOOK = path.resolve(import.meta.dirname, '../../drills/runbook.md')

/** What a run has to show for each step of the runbook, in its order. */
export function coverRunbook(evidence: Evidence): StepCoverage[] {
  return coverSteps(readRunbook(readFileSync(RUNBOOK, 'utf8')), evidence)
}

/** As `coverRunbook`, of given steps. One that no drill is known for is part of no run. */
export function coverSteps(steps: readonly RunbookStep[], evidence: Evidence): StepCoverage[] {
  return steps.map(step => {
    const drills = (STEPS[step.text] ?? []).flatMap(doer => seen(doer, evidence))
    return { ...step, drills, outcome: outcomeOf(drills, evidence) }
  })
}

function outcomeOf(drills: StepCoverage['drills'], evidence: Evidence): StepOutcome {
  if (drills.length === 0) return evidence.run.state === 'finished' ? 'not part of this run' : 'not begun'
  const verdicts = drills.map(({ verdict }) => verdict)
  const hasPassed = verdicts.includes('passed')
  if (hasPassed && worthOf(evidence).isEvidence) return 'proven'
  if (verdicts.includes('failed')) return 'failed'
  return hasPassed || verdicts.includes('unknown') ? 'unknown' : 'not exercised'
}

function seen(doer: Doer, evidence: Evidence): StepCoverage['drills'] {
  const drill = drillOf(evidence, typeof doer === 'string' ? doer : doer.drill)
  if (!drill || !wasAsked(doer, drill)) return []
  return [{ id: drill.id, verdict: drill.verdict, at: drill.startedAt }]
}

/** One that did not pass has not come to say whether it did. */
function wasAsked(doer: Doer, { verdict, proofs }: Drill): boolean {
  return typeof doer === 'string' || verdict !== 'passed' || proofs.some(proof => doer.proof.test(proof))
}
