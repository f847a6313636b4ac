import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { coverControls } from '../controls/controls.ts'
import type { HistoryEntry } from '../history/history.ts'
import { trendsOf } from '../history/trends.ts'
import type { Report } from '../report.ts'
import { coverRunbook } from '../runbook/coverage.ts'
import { exceptionsOf } from '../tables/exceptions.ts'
import type { BundleSettings } from './settings.ts'

/** @param earlier the runs before this one, oldest first. */
export function makeReport(
  evidence: Evidence,
  earlier: readonly HistoryEntry[],
  { controls, key }: Pick<BundleSettings, 'controls' | 'key'>,
): Report {
  const covered = coverControls(controls, evidence)
  const trends = trendsOf(evidence, earlier)
  return {
    evidence,
    coverage: coverRunbook(evidence),
    controls: covered,
    trends,
    exceptions: exceptionsOf(evidence, { controls: covered, trends }),
    ...(key && { keyId: key.keyId }),
  }
}
