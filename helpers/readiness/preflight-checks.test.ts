import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { auditArchive } from '../archive/audit.ts'
import { ArchiveListing } from '../archive/listing.ts'
import { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { reportOf, verdictOf } from './preflight.ts'
import { checkReadiness, durationText, type ReadinessLimits } from './preflight-checks.ts'
import type { ArchiveFacts, PreflightFacts } from './preflight-facts.ts'

const SIZE = 16 * 2 ** 20
const NOW = '2026-01-02T04:00:00.000000Z'
const LIMITS: ReadinessLimits = { durablePaths: [], backupMaxAgeSeconds: 26 * 3600, maxLagSeconds: 900 }
const IDENTIFIER = '7301234567890123456'

const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)
const listingOf = (numbers: readonly number[]) =>
  ArchiveListing.of(
    numbers.map(number => ({ path: segment(number).name, sizeBytes: SIZE })),
    SIZE,
  )

const SETTINGS: Readonly<Record<string, string>> = {
  archive_mode: 'on',
  wal_level: 'replica',
  archive_command: 'cp %p /mnt/wal/%f',
  archive_library: '',
  wal_keep_size: '128',
  archive_timeout: '60',
  full_page_writes: 'on',
  max_wal_size: '1024',
  data_directory: '/var/lib/postgresql/data',
  fsync: 'on',
  data_checksums: 'on',
}

const backup = {
  timeline: 1,
  startLsn: segment(2).start.plus(40n),
  stopLsn: segment(2).start.plus(400n),
  history: undefined,
}

interface Drift {
  settings?: Readonly<Record<string, string>>
  stored?: readonly number[]
  server?: Partial<PreflightFacts['server']>
  archive?: Partial<ArchiveFacts>
  look?: Partial<PreflightFacts['looks'][number]>
  facts?: Partial<PreflightFacts>
}

/** A server at its sixth segment, of which five are archived; the base backup was taken in the third. */
function factsOf({
  settings = {},
  stored = [1, 2, 3, 4, 5],
  server,
  archive,
  look,
  facts,
}: Drift = {}): PreflightFacts {
  const listing = listingOf(stored)
  const progress = {
    segmentSizeBytes: SIZE,
    timeline: 1,
    insertLsn: segment(6).start.plus(1000n),
    currentLsn: segment(6).start.plus(1000n),
    readAt: { from: NOW, until: NOW },
    lastArchived: segment(5),
    lastArchivedSecondsAgo: 20,
  }
  const audit = auditArchive({ listing, backup, target: 'latest', server: progress })
  const isWhole = audit.gaps.every(({ placement }) => placement === 'before-backup')
  const space = { freeBytes: 50 * 2 ** 30, totalBytes: 100 * 2 ** 30, volatile: undefined }
  const before: PreflightFacts['looks'][number] = {
    at: NOW,
    atSeconds: 0,
    progress,
    archiver: {
      isConfigured: true,
      isRunning: true,
      isInCommand: false,
      archivedCount: 4,
      failedCount: 0,
      hasFailedLast: false,
      lastFailed: undefined,
    },
    ready: [],
    walBytes: 128 * 2 ** 20,
    retention: { keepBytes: 128 * 2 ** 20, redoLsn: segment(5).start, slots: [] },
    listing,
    histories: new Map(),
    damagedHistories: [],
    complaint: undefined,
  }
  return {
    where: 'db:5432/app',
    warnings: [],
    at: NOW,
    server: {
      version: '18.4',
      user: 'watching',
      isSuperuser: false,
      isInRecovery: false,
      systemIdentifier: IDENTIFIER,
      segmentSizeBytes: SIZE,
      runningBackups: 0,
      clock: { skewSeconds: 0.01, uncertaintySeconds: 0.002 },
      settings: Object.entries({ ...SETTINGS, ...settings }).map(([name, setting]) => ({
        name,
        setting,
        source: 'configuration file',
        sourcefile: '/etc/postgresql.conf',
        sourceline: 7,
        pendingRestart: false,
      })),
      ...server,
    },
    looks: [before, { ...before, atSeconds: 1, archiver: { ...before.archiver, archivedCount: 5 }, ...look }],
    progress,
    lag: { segments: 1, bytes: 1000, seconds: 20 },
    archive: {
      where: '/mnt/wal',
      reach: 'beginnings',
      listing,
      systemIdentifier: IDENTIFIER,
      backups: { count: 1, newest: backup, newestStoppedAt: '2026-01-02T03:00:00Z', unreadable: [] },
      usable: isWhole ? { backup, audit } : undefined,
      broken: isWhole ? undefined : { backup, audit },
      window: {
        backup,
        from: '2026-01-02T03:00:00Z',
        to: '2026-01-02T03:59:30.000000Z',
        lastCommit: '2026-01-02T03:59:30.000000Z',
        toLsn: segment(6).start,
        damages: [],
      },
      space,
      ...archive,
    },
    walSpace: space,
    ...facts,
  }
}

const complaintsOf = (facts: PreflightFacts, limits: Partial<ReadinessLimits> = {}) =>
  checkReadiness(facts, { ...LIMITS, ...limits })
    .filter(({ verdict }) => verdict !== 'ok')
    .map(({ name, verdict }) => `${name}: ${verdict}`)
const complaints = (drift?: Drift) => complaintsOf(factsOf(drift))

describe('a healthy server', () => {
  test('has nothing that is not ok, and is a go', () => {
    expect(complaints()).toEqual([])
    expect(reportOf(factsOf(), LIMITS, { tookSeconds: 1 })).toMatchObject({
      verdict: 'go',
      window: { from: '2026-01-02T03:00:00Z', to: '2026-01-02T03:59:30.000000Z', behindSeconds: 30 },
      signals: { 'missing-archive-segment': 0, 'wal-growth-without-archiving': 0, 'recovery-stall': 0 },
    })
  })

  test('gives no advice, and says what it has seen', () => {
    for (const { advice, seen, wanted, name } of checkReadiness(factsOf(), LIMITS)) {
      expect([name, advice]).toEqual([name, ''])
      if (name !== 'archive_library') expect(seen).not.toBe('')
      expect(wanted).not.toBe('')
    }
  })
})

describe('one thing that has drifted is found by its name, and nothing else', () => {
  test.each<[string, Drift, string]>([
    ['archive_mode', { settings: { archive_mode: 'off' } }, 'archive_mode: failure'],
    ['wal_level', { settings: { wal_level: 'minimal' } }, 'wal_level: failure'],
    ['no archive_command', { settings: { archive_command: '' } }, 'archive_command: failure'],
    ['one that does nothing', { settings: { archive_command: '/bin/true' } }, 'archive_command: failure'],
    ['one into /tmp', { settings: { archive_command: 'cp %p /tmp/%f' } }, 'archive_command: failure'],
    ['archive_library', { settings: { archive_library: 'basic_archive' } }, 'archive_library: failure'],
    ['wal_keep_size', { settings: { wal_keep_size: '0' } }, 'wal_keep_size: failure'],
    ['archive_timeout', { settings: { archive_timeout: '0' } }, 'archive_timeout: warning'],
    ['full_page_writes', { settings: { full_page_writes: 'off' } }, 'full_page_writes: warning'],
    ['fsync', { settings: { fsync: 'off' } }, 'fsync: warning'],
    ['data_checksums', { settings: { data_checksums: 'off' } }, 'data_checksums: warning'],
    ['a superuser', { server: { isSuperuser: true } }, 'superuser: warning'],
    ['the way there', { facts: { warnings: ['.pgpass may be read by others'] } }, 'connection: warning'],
    ['its clock', { server: { clock: { skewSeconds: -3, uncertaintySeconds: 0.1 } } }, 'clock: warning'],
    ['another cluster', { archive: { systemIdentifier: '7' } }, 'archive: failure'],
    [
      'an archive in memory',
      { archive: { space: { freeBytes: 2 ** 40, totalBytes: 2 ** 40, volatile: 'tmpfs' } } },
      'archive-storage: failure',
    ],
    [
      'a full archive',
      { archive: { space: { freeBytes: 2 ** 20, totalBytes: 2 ** 40, volatile: undefined } } },
      'archive-space: failure',
    ],
    [
      'a pg_wal that is nearly full',
      { facts: { walSpace: { freeBytes: 2 ** 29, totalBytes: 2 ** 31, volatile: undefined } } },
      'pg_wal-space: warning',
    ],
    ['a pg_wal that is elsewhere', { facts: { walSpace: { unknown: 'elsewhere' } } }, 'pg_wal-space: unknown'],
    [
      'no base backup for long',
      { archive: { backups: { count: 1, newest: backup, newestStoppedAt: '2025-12-30T03:00:00Z', unreadable: [] } } },
      'base-backup: warning',
    ],
  ])('%s', (_, drift, complaint) => {
    expect(complaints(drift)).toEqual([complaint])
  })

  test('an abandoned slot, with its name', () => {
    const slots = [
      { name: 'gone', isActive: false, restartLsn: segment(1).start },
      { name: 'busy', isActive: true, restartLsn: segment(5).start },
    ]
    const facts = factsOf({ look: { retention: { keepBytes: 0, redoLsn: segment(5).start, slots } } })
    expect(complaintsOf(facts)).toEqual(['replication-slots: warning'])
    const seen = checkReadiness(facts, LIMITS).find(({ name }) => name === 'replication-slots')?.seen
    expect(seen).toContain("'gone'")
    expect(seen).not.toContain('busy')
  })

  test('a command that names where it stores is not, where the user says that it is durable', () => {
    const facts = factsOf({ settings: { archive_command: 'cp %p /tmp/wal/%f' } })
    expect(complaintsOf(facts, { durablePaths: ['/tmp/wal'] })).toEqual([])
  })
})

describe('the archive', () => {
  test('that lacks a segment is a no-go that names it, wherever it lacks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4 }), missing => {
        const facts = factsOf({ stored: [1, 2, 3, 4, 5].filter(one => one !== missing) })
        const checks = checkReadiness(facts, LIMITS)
        expect(verdictOf(checks)).toBe('no-go')
        const [continuity] = checks.filter(({ name }) => name === 'archive-continuity')
        expect(continuity?.advice).toContain(`missing ${segment(missing)}`)
      }),
    )
  })

  test('that lacks a segment before the base backup is a go', () => {
    expect(complaints({ stored: [0, 2, 3, 4, 5] })).toEqual([])
  })

  test('that has a newer base backup behind a gap is a go, with a warning', () => {
    const broken = factsOf({ stored: [1, 2, 4, 5] }).archive as ArchiveFacts
    const facts = factsOf()
    const both = { ...facts, archive: { ...(facts.archive as ArchiveFacts), broken: broken.broken } }
    expect(complaintsOf(both)).toEqual(['archive-continuity: warning'])
  })

  test('in which nothing ever was, and one that is elsewhere, are told apart', () => {
    const seen = (drift: Drift) =>
      checkReadiness(factsOf({ stored: [], ...drift }), LIMITS).find(({ name }) => name === 'archive')?.seen
    const healthy = factsOf()
    const archiver = { ...healthy.looks[0]?.archiver, archivedCount: 0 } as NonNullable<Drift['look']>['archiver']
    expect(seen({})).toBe('no segment')
    const progress = { ...healthy.progress, lastArchived: undefined } as NonNullable<PreflightFacts['progress']>
    expect(seen({ ...(archiver ? { look: { archiver } } : {}), facts: { progress } })).toBe('nothing ever archived')
  })

  test('of which nothing is known cannot be told', () => {
    const facts = factsOf({ facts: { archive: { unknown: 'no archive is named' } } })
    expect(complaintsOf(facts)).toEqual(['archive: unknown'])
    expect(verdictOf(checkReadiness(facts, LIMITS))).toBe('could not tell')
  })

  test('far behind is a no-go; a little behind, a warning', () => {
    const ready = (count: number, secondsAgo: number) =>
      Array.from({ length: count }, (_, index) => ({ segment: segment(index), secondsAgo }))
    const lagOf = (look: Drift['look']) =>
      checkReadiness(factsOf(look ? { look } : {}), LIMITS).find(({ name }) => name === 'archive-lag')?.verdict
    expect(lagOf({ ready: ready(1, 901) })).toBe('failure')
    expect(lagOf({ ready: ready(4, 10) })).toBe('warning')
    expect(lagOf({ ready: ready(3, 10) })).toBe('ok')
  })
})

test('segments that nobody hands to the archiver are a no-go, and bound nothing', () => {
  const facts = factsOf({ stored: [1, 2, 3], look: { ready: [{ segment: segment(5), secondsAgo: 1 }] } })
  const { window } = facts.archive as ArchiveFacts
  if (window) window.lastCommit = '2026-01-02T03:00:00.000000Z'
  const report = reportOf(facts, LIMITS, { tookSeconds: 1 })
  expect(report.verdict).toBe('no-go')
  expect(report.checks.find(({ name }) => name === 'archive-lag')).toMatchObject({
    verdict: 'failure',
    seen: `neither archived nor waiting to be: ${segment(4)}`,
  })
  expect(report.window?.behindSeconds).toBe(3600)
})

test('one look is a warning: a command that hangs is not seen in it', () => {
  const facts = factsOf()
  expect(complaintsOf({ ...facts, looks: facts.looks.slice(1) })).toEqual(['looks: warning'])
})

describe('what is not seen', () => {
  test('of the settings is unknown, not wrong', () => {
    const { settings } = factsOf().server
    const facts = factsOf({ server: { settings: settings.filter(({ name }) => name !== 'data_directory') } })
    expect(complaintsOf(facts)).toEqual(['data_directory: unknown'])
    expect(verdictOf(checkReadiness(facts, LIMITS))).toBe('could not tell')
  })

  test('of a server in recovery is all but that', () => {
    const facts = factsOf({ server: { isInRecovery: true } })
    expect(complaintsOf(facts)).toEqual(['server-role: unknown'])
  })

  test('of its disks does not stand in the way of a go', () => {
    const facts = factsOf({ facts: { walSpace: { unknown: 'x' } }, archive: { space: { unknown: 'x' } } })
    expect(reportOf(facts, LIMITS, { tookSeconds: 1 }).verdict).toBe('go')
  })
})

describe('a report', () => {
  test('has the reasons in the order of their weight', () => {
    const { checks } = reportOf(
      factsOf({ settings: { archive_timeout: '0', wal_keep_size: '0' }, facts: { walSpace: { unknown: 'x' } } }),
      LIMITS,
      {
        more: [{ name: 'probe', verdict: 'unknown', isDecisive: true, seen: '', wanted: '', advice: '' }],
        tookSeconds: 1,
      },
    )
    expect(checks.slice(0, 5).map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual([
      'wal_keep_size: failure',
      'probe: unknown',
      'archive_timeout: warning',
      'pg_wal-space: unknown',
      'server-role: ok',
    ])
  })

  test('hides what in a command is named like a secret', () => {
    const settings = { archive_command: 'X=hunter2; curl --token hunter2 -T %p https://u:hunter2@host/%f' }
    expect(JSON.stringify(reportOf(factsOf({ settings }), LIMITS, { tookSeconds: 1 }))).not.toContain('hunter2')
  })
})

test('a time is told in the largest unit of which there are two', () => {
  expect([0.4, 59, 119, 120, 7199, 7200, 172_799, 172_800].map(durationText)).toEqual([
    '0.4 s',
    '59 s',
    '119 s',
    '2 min',
    '119 min',
    '2 h',
    '47 h',
    '2 days',
  ])
})

test('an LSN is told as PostgreSQL tells it', () => {
  expect(reportOf(factsOf(), LIMITS, { tookSeconds: 1 }).server?.insertLsn).toBe(
    String(Lsn.fromBytes(6n * BigInt(SIZE) + 1000n)),
  )
})
