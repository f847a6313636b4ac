import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Check, checkArchivalSettings, type SettingRow } from './archival-settings.ts'

const row = (name: string, setting: string): SettingRow => ({
  name,
  setting,
  source: 'configuration file',
  sourcefile: '/etc/postgresql/postgresql.conf',
  sourceline: 12,
  pendingRestart: false,
})

const READY: Readonly<Record<string, string>> = {
  archive_mode: 'on',
  wal_level: 'replica',
  archive_command: 'cp %p /mnt/wal/%f',
  archive_library: '',
  wal_keep_size: '128',
  archive_timeout: '60',
  full_page_writes: 'on',
  max_wal_size: '1024',
  data_directory: '/var/lib/postgresql/data',
}

const rowsOf = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).map(([name, setting]) => row(name, setting))
const check = (drift: Readonly<Record<string, string>> = {}) => checkArchivalSettings(rowsOf({ ...READY, ...drift }))
const complaints = (checks: readonly Check[]) =>
  checks.filter(({ verdict }) => verdict !== 'ok').map(({ name, verdict }) => `${name}: ${verdict}`)

describe('the checks of archival settings', () => {
  it('are all ok for a server that is ready', () => {
    expect(complaints(check())).toEqual([])
    expect(check().every(({ advice }) => advice === '')).toBe(true)
  })

  it('accept logical for wal_level', () => {
    expect(complaints(check({ wal_level: 'logical' }))).toEqual([])
  })

  it.each([
    ['archive_mode', 'off', 'failure', 'off', 'on'],
    ['archive_mode', 'always', 'warning', 'always', 'on'],
    ['wal_level', 'minimal', 'failure', 'minimal', 'replica or logical'],
    ['archive_command', '', 'failure', '', 'a command that stores each segment in a durable place'],
    ['archive_command', '/bin/true', 'failure', '/bin/true', 'a command that stores each segment in a durable place'],
    [
      'archive_command',
      'cp %p /var/lib/postgresql/data/wal/%f',
      'failure',
      'cp %p /var/lib/postgresql/data/wal/%f',
      'a command that stores each segment in a durable place',
    ],
    [
      'archive_command',
      'cp %p /tmp/%f',
      'failure',
      'cp %p /tmp/%f',
      'a command that stores each segment in a durable place',
    ],
    ['archive_library', 'basic_archive', 'failure', 'basic_archive', 'empty, and an archive_command'],
    ['wal_keep_size', '0', 'failure', '0 MB', 'more than 0 MB'],
    ['archive_timeout', '0', 'warning', '0 s', 'more than 0 s'],
    ['full_page_writes', 'off', 'warning', 'off', 'on'],
  ])(
    'find %s = "%s" by name, and say what was seen, what is wanted and whom to page',
    (name, setting, verdict, seen, wanted) => {
      const found = check({ [name]: setting }).filter(one => one.verdict !== 'ok')
      expect(found).toMatchObject([{ name, verdict, seen, wanted }])
      expect(found[0]?.advice).toContain('Page the platform owner for a config change.')
    },
  )

  it('do not blame an empty command where a library archives', () => {
    expect(complaints(check({ archive_command: '', archive_library: 'basic_archive' }))).toEqual([
      'archive_command: warning',
      'archive_library: failure',
    ])
  })

  it('do not judge a command that the server hides because it does not archive', () => {
    expect(complaints(check({ archive_mode: 'off', archive_command: '(disabled)' }))).toEqual([
      'archive_mode: failure',
      'archive_command: warning',
    ])
  })

  it('warn of a value that waits for a restart, and say where no file says so', () => {
    const rows = rowsOf(READY).map(one =>
      one.name === 'wal_level'
        ? { ...one, pendingRestart: true, source: 'command line', sourcefile: null, sourceline: null }
        : one,
    )
    const checks = checkArchivalSettings(rows)
    expect(complaints(checks)).toEqual(['wal_level: warning'])
    const found = checks.find(({ name }) => name === 'wal_level')
    expect(found?.source).toBe('command line')
    expect(found?.advice).toMatch(/next restart\. Page the platform owner for a config change\.$/)
  })

  it("say of wal_keep_size that it is the runbook's rule, and not what recovery needs", () => {
    const [found] = check({ wal_keep_size: '0' }).filter(({ name }) => name === 'wal_keep_size')
    expect(found?.advice).toMatch(/^The runbook requires it, .*a recovery from the archive does not need it\. Page/)
  })

  it('take for durable what the user says is durable', () => {
    const rows = rowsOf({ ...READY, archive_command: 'cp %p /tmp/drill-1/archive/wal/%f' })
    expect(complaints(checkArchivalSettings(rows))).toEqual(['archive_command: failure'])
    expect(complaints(checkArchivalSettings(rows, { durablePaths: ['/tmp/drill-1/archive'] }))).toEqual([])
  })

  it('never show a password that stands in the command', () => {
    const found = check({ archive_command: 'PGPASSWORD=hunter2 push --to=https://me:hunter2@host/ %p /tmp/%f' })
    expect(JSON.stringify(found)).not.toContain('hunter2')
    expect(complaints(found)).toEqual(['archive_command: failure'])
  })

  it('find any one setting that has drifted, and only that one', () => {
    const wrong: Readonly<Record<string, fc.Arbitrary<string>>> = {
      archive_mode: fc.constantFrom('off', 'always'),
      wal_level: fc.constant('minimal'),
      archive_command: fc.oneof(
        fc.constantFrom('', ' ', 'true', '/bin/true', 'exit 0', ':'),
        fc.stringMatching(/^cp %p \/(tmp|dev\/shm|var\/lib\/postgresql\/data)\/[a-z]{0,9}\/%f$/),
      ),
      archive_library: fc.stringMatching(/^[a-z_]{1,12}$/),
      wal_keep_size: fc.constant('0'),
      archive_timeout: fc.constant('0'),
      full_page_writes: fc.constant('off'),
    }
    const drift = fc
      .constantFrom(...Object.keys(wrong))
      .chain(name => fc.record({ name: fc.constant(name), setting: wrong[name] ?? fc.constant('') }))
    fc.assert(
      fc.property(drift, ({ name, setting }) => {
        const found = check({ [name]: setting }).filter(({ verdict }) => verdict !== 'ok')
        expect(found.map(one => one.name)).toEqual([name])
        expect(found[0]?.advice).toContain('Page the platform owner')
      }),
    )
  })

  it('find a row that this role may not see, and only that one, in whatever order the rows come', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(READY)),
        fc.shuffledSubarray(rowsOf(READY), { minLength: Object.keys(READY).length }),
        (name, rows) => {
          const found = checkArchivalSettings(rows.filter(one => one.name !== name)).filter(
            ({ verdict }) => verdict !== 'ok',
          )
          expect(found).toMatchObject([{ name, verdict: 'failure', seen: 'not visible' }])
        },
      ),
    )
  })
})
