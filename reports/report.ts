import type { Evidence } from '../helpers/evidence/evidence.ts'
import type { ControlCoverage } from './controls/controls.ts'
import type { Trend } from './history/trends.ts'
import type { StepCoverage } from './runbook/coverage.ts'
import type { Exception } from './tables/exceptions.ts'

/** All that the files of a bundle are made from: the evidence, and what follows from it. */
export interface Report {
  evidence: Evidence
  coverage: readonly StepCoverage[]
  controls: readonly ControlCoverage[]
  trends: readonly Trend[]
  exceptions: readonly Exception[]
  /** SHA-256 of the public key that the bundle is signed for, as hex; none: it is not signed. */
  keyId?: string
}
