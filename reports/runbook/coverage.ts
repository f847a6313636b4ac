import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { drillOf, worthOf } from '../worth.ts'
import { type RunbookStep, readRunbook } from './runbook.ts'
import { type Doer, STEPS } from './steps.ts'

/** A step of the runbook, and what this run has to show for it. */
export interface StepCoverage extends RunbookStep {
  /** Those of the run that do it. */
  drills: readonly { id: string; verdict: Verdict; at: string }[]
  /** Whether a drill that passed in this run proved it. */
  isProven: boolean
}

const RUNBOOK = path.resolve(import.meta.dirname, '../../drills/runbook.md')

/** What a run has to show for each step of the runbook, in its order. */
export function coverRunbook(evidence: Evidence): StepCoverage[] {
  return coverSteps(readRunbook(readFileSync(RUNBOOK, 'utf8')), evidence)
}

/** As `coverRunbook`, of given steps. One that no drill is known for is not proven. */
export function coverSteps(steps: readonly RunbookStep[], evidence: Evidence): StepCoverage[] {
  const { isEvidence } = worthOf(evidence)
  return steps.map(step => {
    const drills = (STEPS[step.text] ?? []).flatMap(doer => seen(doer, evidence))
    return { ...step, drills, isProven: isEvidence && drills.some(({ verdict }) => verdict === 'passed') }
  })
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
