import type { Verdict } from '../../helpers/evidence/evidence.ts'

/** A control of a standard, and the drills whose passing supports it. */
export interface Control {
  /** As the standard calls itself: 'ISO/IEC 27001:2022'. */
  standard: string
  id: string
  title: string
  drills: readonly string[]
}

/** What this run has for a control. Without a drill that passed in it, a control is a gap. */
export interface ControlCoverage extends Control {
  evidence: readonly { drill: string; verdict: Verdict; at: string }[]
  /** Whether a drill that supports it passed. */
  isSupported: boolean
  /** 'Supports …: P1, P2 passed', or what is missing. Never "complies". */
  sentence: string
}
