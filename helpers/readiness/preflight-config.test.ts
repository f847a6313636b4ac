import { expect, test } from 'vitest'
import { loadPreflightConfig } from './preflight-config.ts'

const load = (environment: NodeJS.ProcessEnv) => loadPreflightConfig(environment, '/no/file')

/** A sentence for each thing that is wrong. */
function mistakesOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    load(environment)
    return []
  } catch (error) {
    return (error as { mistakes: readonly string[] }).mistakes
  }
}

test('nothing has to be set', () => {
  expect(load({ PREFLIGHT_COMPOSE_SERVICE: 'db', DRILL_KEEP: 'never' })).toEqual({
    archive: undefined,
    durablePaths: [],
    backupMaxAgeSeconds: 93_600,
    maxLagSeconds: 900,
    isProbing: false,
    metrics: undefined,
  })
})

test.each([
  [{ PREFLIGHT_ARCHIVE: '/mnt/wal/' }, { kind: 'folder', folder: '/mnt/wal' }],
  [
    { PREFLIGHT_ARCHIVE_IN_SERVICE: '/wal', PREFLIGHT_COMPOSE_FILE: 'compose.yml' },
    { kind: 'in-service', folder: '/wal' },
  ],
  [{ PREFLIGHT_ARCHIVE_LIST_COMMAND: 'ls' }, { kind: 'command', list: 'ls', fetch: undefined }],
  [
    { PREFLIGHT_ARCHIVE_LIST_COMMAND: 'ls', PREFLIGHT_ARCHIVE_FETCH_COMMAND: 'cat %f' },
    { kind: 'command', list: 'ls', fetch: 'cat %f' },
  ],
])('%j says where the archive is', (environment, archive) => {
  expect(load(environment).archive).toEqual(archive)
})

test.each([
  ['90s', 90],
  ['15 min', 900],
  ['1.5h', 5400],
  ['2d', 172_800],
])('a time is %s', (text, seconds) => {
  expect(load({ PREFLIGHT_BACKUP_MAX_AGE: text, PREFLIGHT_MAX_LAG: text })).toMatchObject({
    backupMaxAgeSeconds: seconds,
    maxLagSeconds: seconds,
  })
})

test('durable paths are a list', () => {
  expect(load({ PREFLIGHT_DURABLE_PATHS: '/tmp/a/, /mnt//b,' }).durablePaths).toEqual(['/tmp/a', '/mnt/b'])
})

test.each([
  [{ PREFLIGHT_BACKUP_MAX_AGE: '26' }, "PREFLIGHT_BACKUP_MAX_AGE is '26': set it to a time with its unit"],
  [{ PREFLIGHT_ARCHIV: '/x' }, 'did you mean PREFLIGHT_ARCHIVE?'],
  [{ PREFLIGHT_PROBE: 'true' }, 'PREFLIGHT_PROBE is'],
  [{ PREFLIGHT_METRICS: '/tmp/y.txt' }, 'does not end in .prom'],
  [{ PREFLIGHT_METRICS: '/not/there/y.prom' }, "is '/not/there/y.prom', whose folder is not there"],
  [{ PREFLIGHT_METRICS: '/etc/passwd/y.prom' }, 'whose folder is not there'],
  [{ PREFLIGHT_DURABLE_PATHS: 'wal' }, 'does not begin with /'],
  [{ PREFLIGHT_ARCHIVE_IN_SERVICE: '/wal' }, 'set PREFLIGHT_COMPOSE_FILE'],
  [{ PREFLIGHT_ARCHIVE_IN_SERVICE: 'wal', PREFLIGHT_COMPOSE_FILE: 'x' }, 'begins with /'],
  [{ PREFLIGHT_ARCHIVE_FETCH_COMMAND: 'cat %f' }, 'without PREFLIGHT_ARCHIVE_LIST_COMMAND'],
  [{ PREFLIGHT_ARCHIVE_FETCH_COMMAND: 'cat', PREFLIGHT_ARCHIVE_LIST_COMMAND: 'ls' }, 'does not mention %f'],
  [{ PREFLIGHT_ARCHIVE: '/a', PREFLIGHT_ARCHIVE_LIST_COMMAND: 'ls' }, 'may name two archives'],
])('%j is refused in a sentence', (environment, sentence) => {
  const mistakes = mistakesOf(environment)
  expect(mistakes).toHaveLength(1)
  expect(mistakes[0]).toContain(sentence)
})

test('all that is wrong is told at once, and no secret', () => {
  const mistakes = mistakesOf({ PREFLIGHT_MAX_LAG: 'https://u:hunter2@host', PREFLIGHT_PROBE: 'x', PREFLIGHT_X: 'y' })
  expect(mistakes).toHaveLength(3)
  expect(mistakes.join()).not.toContain('hunter2')
})
