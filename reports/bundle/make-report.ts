import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { coverControls } from '../controls/controls.ts'
import type { HistoryEntry } from '../history/history.ts'
import { trendsOf } from '../history/trends.ts'
import type { Report } from '../report.ts'
import { coverRunbook } from '../runbook/coverage.ts'
import { exceptionsOf } from '../tables/exceptions.ts'
import type { BundleSettings } from './settings.ts'

/** @param history oldest first. What stands in it from this run on is left out: a report may be made again later. */
export function makeReport(
  evidence: Evidence,
  history: readonly HistoryEntry[],
  { controls, key }: Pick<BundleSettings, 'controls' | 'key'>,
): Report {
  const covered = coverControls(controls, evidence)
  const trends = trendsOf(evidence, history)
  return {
    evidence,
    coverage: coverRunbook(evidence),
    controls: covered,
    trends,
    exceptions: exceptionsOf(evidence, { controls: covered, trends }),
    ...(key && { keyId: key.keyId }),
  }
}
