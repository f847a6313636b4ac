import type { Check } from '../../readiness/archival-settings.ts'

/** One check of a restored server. Its `seen` is a sentence on all of it. */
export interface ServerCheck extends Check {
  /** Each thing found wrong, named. */
  findings: readonly string[]
}

export interface CheckTerms {
  name: string
  wanted: string
  /** How bad a finding is. */
  severity: 'warning' | 'failure'
  advice: string
}

/** @param inspected what stands there where nothing is found. */
export function judgeFindings(
  { name, wanted, severity, advice }: CheckTerms,
  inspected: string,
  findings: readonly string[],
): ServerCheck {
  return findings.length === 0
    ? { name, verdict: 'ok', seen: inspected, wanted, advice: '', findings }
    : { name, verdict: severity, seen: listed(findings), wanted, advice, findings }
}

/** What could not be looked at is not proven, and never ok. */
export function notChecked({ name, wanted, advice }: CheckTerms, why: string): ServerCheck {
  return { name, verdict: 'warning', seen: `not checked: ${why}`, wanted, advice, findings: [] }
}

const SHOWN = 5

function listed(findings: readonly string[]): string {
  const more = findings.length - SHOWN
  return findings.slice(0, SHOWN).join('; ') + (more > 0 ? `; and ${more} more` : '')
}
