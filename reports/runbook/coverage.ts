import type { Verdict } from '../../helpers/evidence/evidence.ts'

/** A step of the runbook, and what this run has to show for it. */
export interface StepCoverage {
  /** '1' to '4', with its heading. */
  section: string
  heading: string
  /** '3.4': the section's fourth step; where a section has none, its requirements or signals are counted. */
  step: string
  /** The step in the runbook's own words. */
  text: string
  drills: readonly { id: string; verdict: Verdict; at: string }[]
  /** Whether a drill that passed in this run proved it. */
  isProven: boolean
}
