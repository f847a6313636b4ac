import { describe, expect, it } from 'vitest'
import type { PreflightCheck, PreflightReport } from '../helpers/evidence/preflight-report.ts'
import { preflightText } from './preflight-text.ts'

const check = (
  name: string,
  verdict: PreflightCheck['verdict'],
  more: Partial<PreflightCheck> = {},
): PreflightCheck => ({
  name,
  verdict,
  isDecisive: true,
  seen: 'x',
  wanted: 'y',
  advice: verdict === 'ok' ? '' : 'Do this.',
  ...more,
})

const report = (more: Partial<PreflightReport> = {}): PreflightReport => ({
  version: 1,
  verdict: 'go',
  at: '2026-01-02T04:00:00.000Z',
  tookSeconds: 0.5,
  where: 'db:5432/app',
  server: { version: '18.4', systemIdentifier: '7301234567890123456', timeline: 1, insertLsn: '0/6000000' },
  archive: '/mnt/wal',
  looks: 3,
  window: {
    backup: { label: 'nightly', startLsn: '0/2000028', stopLsn: '0/2000120', timeline: 1 },
    from: '2026-01-02T03:00:00Z',
    to: '2026-01-02T03:59:30.123456Z',
    toLsn: '0/6000000',
    behindSeconds: 29.9,
  },
  lag: { segments: 1, bytes: 100, seconds: 29.9 },
  signals: {},
  checks: [check('archive_mode', 'ok')],
  ...more,
})

describe('the first line', () => {
  const first = (more?: Partial<PreflightReport>) => preflightText(report(more), 100, false)[0]

  it('is the verdict, and from when to when one can come back', () => {
    expect(first()).toBe(
      'GO: recoverable from 2026-01-02 03:00:00 to 2026-01-02 03:59:30 UTC, at most 30 seconds behind now',
    )
  })

  it('fits a line of 100 columns for an hour behind, too', () => {
    const { window } = report()
    if (!window) throw new Error('no window')
    const lines = preflightText(report({ verdict: 'no-go', window: { ...window, behindSeconds: 3600 } }), 104, false)
    expect(lines[0]).toMatch(/^NO-GO: recoverable from .* at most 3600 seconds behind now$/)
  })

  it('says when nothing is behind', () => {
    const { window } = report()
    expect(first({ ...(window ? { window: { ...window, behindSeconds: 0 } } : {}) })).toMatch(
      /UTC, 0 seconds behind now$/,
    )
  })

  it('says when it is not known', () => {
    const { window: _, ...without } = report({ verdict: 'could not tell' })
    expect(preflightText(without, 100, false)[0]).toBe('COULD NOT TELL: not known to be recoverable to any moment')
  })
})

describe('what follows', () => {
  const long = 'word '.repeat(60).trim()
  const checks = [
    check('archive_command', 'failure', { source: '/etc/postgresql.conf:7', advice: long, pendingRestart: true }),
    check('archive-continuity', 'unknown'),
    check('base-backup', 'warning'),
    check('wal_level', 'ok', { seen: long }),
  ]

  it('has each reason with what was seen, what is wanted and where it is set, then what is ok', () => {
    const text = preflightText(report({ checks }), 100, false).join('\n')
    expect(text).toContain('✗ archive_command (failure): x\n    word')
    expect(text).toContain('    Wanted: y.\n    Source: /etc/postgresql.conf:7.\n    A restart is pending.')
    expect(text.indexOf('? archive-continuity')).toBeLessThan(text.indexOf('! base-backup'))
    expect(text.indexOf('! base-backup')).toBeLessThan(text.indexOf('✓ wal_level'))
  })

  it('fits its columns, whatever it says', () => {
    for (const columns of [60, 100])
      for (const line of preflightText(report({ checks }), columns, false))
        expect(line.length).toBeLessThanOrEqual(columns)
  })

  it('steers no terminal', () => {
    const text = preflightText(report({ checks: [check('x', 'failure', { seen: '\u001b[31mred\u0007' })] }), 100, false)
    expect(text.join('')).not.toContain('\u0007')
    expect(text.join('')).not.toContain('\u001b')
  })

  it('is in colour where that is wanted', () => {
    expect(preflightText(report({ checks }), 100, true).join('')).toContain('\u001b[')
    expect(preflightText(report({ checks }), 100, false).join('')).not.toContain('\u001b[')
  })
})
