import { detectMissingArchiveSegment } from '../escalation/missing-archive-segment.ts'
import { detectWalGrowthWithoutArchiving } from '../escalation/wal-growth-without-archiving.ts'
import type { PreflightCheck, PreflightReport, ReportedWindow } from '../evidence/preflight-report.ts'
import { checkReadiness, type ReadinessLimits, secondsBehind } from './preflight-checks.ts'
import type { PreflightFacts } from './preflight-facts.ts'

/** The heaviest first. */
const WEIGHTS: readonly PreflightCheck['verdict'][] = ['failure', 'unknown', 'warning', 'ok']

/**
 * What a look comes to: no-go for one failure; else could-not-tell where something that decides was not seen; else go.
 * @param more what was checked besides, such as a probe.
 */
export function reportOf(
  facts: PreflightFacts,
  limits: ReadinessLimits,
  { more = [], tookSeconds }: { more?: readonly PreflightCheck[]; tookSeconds: number },
): PreflightReport {
  const { at, where, server, progress, looks, lag, archive } = facts
  const checks = [...checkReadiness(facts, limits), ...more]
  const window = windowOf(facts)
  const behind = secondsBehind(facts)
  return {
    version: 1,
    verdict: verdictOf(checks),
    at,
    tookSeconds,
    where,
    server: {
      version: server.version,
      systemIdentifier: server.systemIdentifier,
      ...(progress ? { timeline: progress.timeline, insertLsn: String(progress.insertLsn) } : {}),
    },
    ...('unknown' in archive ? {} : { archive: archive.where }),
    looks: looks.length,
    ...(window ? { window } : {}),
    ...(lag
      ? { lag: { segments: lag.segments, bytes: lag.bytes, ...(behind === undefined ? {} : { seconds: behind }) } }
      : {}),
    signals: signalsOf(facts),
    checks: byWeight(checks),
  }
}

/** Of a server that could not be asked. @param why a sentence, without any secret. */
export function unasked(where: string, why: string, at: string): PreflightReport {
  const wanted = 'a connection'
  return {
    version: 1,
    verdict: 'could not tell',
    at,
    tookSeconds: 0,
    where,
    looks: 0,
    signals: {},
    checks: [{ name: 'connection', verdict: 'unknown', isDecisive: true, seen: 'none', wanted, advice: why }],
  }
}

export function verdictOf(checks: readonly PreflightCheck[]): PreflightReport['verdict'] {
  if (checks.some(({ verdict }) => verdict === 'failure')) return 'no-go'
  return checks.some(({ verdict, isDecisive }) => verdict === 'unknown' && isDecisive) ? 'could not tell' : 'go'
}

/** What decides comes before what does not; else in the order in which they were made. */
function byWeight(checks: readonly PreflightCheck[]): PreflightCheck[] {
  const weight = ({ verdict, isDecisive }: PreflightCheck) =>
    verdict === 'unknown' && !isDecisive ? WEIGHTS.indexOf('warning') + 0.5 : WEIGHTS.indexOf(verdict)
  return [...checks].sort((a, b) => weight(a) - weight(b))
}

function windowOf(facts: PreflightFacts): ReportedWindow | undefined {
  const { archive } = facts
  if ('unknown' in archive || !archive.window) return undefined
  const { backup, from, to, toLsn } = archive.window
  const behind = secondsBehind(facts)
  return {
    backup: {
      label: backup.history?.label ?? '',
      startLsn: String(backup.startLsn),
      stopLsn: String(backup.stopLsn),
      timeline: backup.timeline,
    },
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    toLsn: String(toLsn),
    ...(behind === undefined ? {} : { behindSeconds: behind }),
  }
}

/** Nothing recovers on a primary, so nothing of that stalls. */
function signalsOf({ archive, looks, at }: PreflightFacts): PreflightReport['signals'] {
  if (looks.length === 0) return {}
  const audited = 'unknown' in archive ? undefined : (archive.usable ?? archive.broken)
  return {
    ...(audited
      ? { 'missing-archive-segment': detectMissingArchiveSegment({ at, audit: audited.audit }).findings.length }
      : {}),
    'wal-growth-without-archiving': detectWalGrowthWithoutArchiving(looks).findings.length,
    'recovery-stall': 0,
  }
}
