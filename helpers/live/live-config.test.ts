import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigMistakes } from '../environment.ts'
import { type LiveConfig, loadLiveConfig } from './live-config.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'live-config-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const composeFile = path.join(folder, 'compose.yml')
writeFileSync(composeFile, '')

function load(environment: NodeJS.ProcessEnv, fileText = ''): LiveConfig {
  const file = path.join(folder, '.env')
  writeFileSync(file, fileText)
  return loadLiveConfig(environment, file)
}

function mistakes(environment: NodeJS.ProcessEnv, fileText?: string): readonly string[] {
  try {
    load(environment, fileText)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error.mistakes
    throw error
  }
  return []
}

describe('a server is named', () => {
  test('by a URL, which wins over the variables, which fill what it leaves open', () => {
    const environment = { DATABASE_URL: 'postgresql://ops:a%23b@db:6432/dispatch', PGUSER: 'x', PGSSLMODE: 'require' }
    expect(load(environment)).toMatchObject({
      way: 'direct',
      host: 'db',
      port: 6432,
      user: 'ops',
      password: 'a#b',
      database: 'dispatch',
      sslMode: 'require',
      connectTimeoutSeconds: 10,
    })
    const rest = { PGPORT: '5433', PGUSER: 'ops', PGPASSWORD: 'p', PGPASSFILE: '/p', PGCONNECT_TIMEOUT: '3' }
    expect(load({ DATABASE_URL: 'postgresql://db', ...rest })).toMatchObject({
      host: 'db',
      port: 5433,
      user: 'ops',
      password: 'p',
      passFile: '/p',
      database: 'ops',
      sslMode: 'prefer',
      connectTimeoutSeconds: 3,
    })
  })

  test('by the variables alone, in the file as well', () => {
    expect(load({ PGHOST: '/run/pg' }, 'PGDATABASE=dispatch\nPGHOST=other')).toMatchObject({
      host: '/run/pg',
      database: 'dispatch',
    })
  })

  test('by a Compose stack, as the runbook does', () => {
    const environment = { PREFLIGHT_COMPOSE_FILE: composeFile, PGUSER: 'dispatch', PGDATABASE: 'dispatch' }
    expect(load(environment)).toEqual({
      way: 'compose',
      file: composeFile,
      service: 'postgres',
      user: 'dispatch',
      database: 'dispatch',
      connectTimeoutSeconds: 10,
    })
    expect(load({ ...environment, PREFLIGHT_COMPOSE_SERVICE: 'db' })).toMatchObject({ service: 'db' })
  })
})

describe('mistakes', () => {
  test('all are told at once, in a sentence each', () => {
    expect(
      mistakes({ PGHOST: 'a,b', PGPORT: '0', PGSSLMODE: 'no-verify', PGSERVICE: 's', DATABASE_URL: 'db:5432' }),
    ).toEqual([
      expect.stringContaining('DATABASE_URL is not a connection URL'),
      'PGHOST names several hosts: name the one to be looked at',
      "PGPORT is '0': set it to a port, a whole number from 1 to 65535",
      "PGSSLMODE is 'no-verify': set it to disable, allow, prefer, require, verify-ca, verify-full",
      expect.stringContaining('PGSERVICE names a service'),
    ])
  })

  test.each<[string, NodeJS.ProcessEnv, RegExp]>([
    ['no way is set', {}, /^no server is named: set DATABASE_URL, or PGHOST/],
    ['a password alone is set', { PGPASSWORD: 'p' }, /^no server is named/],
    [
      'both ways are set',
      { DATABASE_URL: 'postgresql://db', PREFLIGHT_COMPOSE_FILE: composeFile },
      /^DATABASE_URL and PREFLIGHT_COMPOSE_FILE are both set/,
    ],
    [
      'a service has no stack',
      { PREFLIGHT_COMPOSE_SERVICE: 'db' },
      /^PREFLIGHT_COMPOSE_SERVICE is set without a stack/,
    ],
    [
      'a password would not be used',
      { PREFLIGHT_COMPOSE_FILE: composeFile, PGPASSWORD: 'p' },
      /^PGPASSWORD is set beside PREFLIGHT_COMPOSE_FILE/,
    ],
    ['the stack is not there', { PREFLIGHT_COMPOSE_FILE: '/none.yml' }, /^PREFLIGHT_COMPOSE_FILE is not there/],
    [
      'a service begins like an option',
      { PREFLIGHT_COMPOSE_FILE: composeFile, PREFLIGHT_COMPOSE_SERVICE: '--help' },
      /^PREFLIGHT_COMPOSE_SERVICE is no name/,
    ],
    [
      'a parameter of the URL is wrong',
      { DATABASE_URL: 'postgresql://db?sslmode=no-verify' },
      /^DATABASE_URL holds a sslmode that is 'no-verify'/,
    ],
  ])('one sentence where %s', (_, environment, sentence) => {
    expect(mistakes(environment)).toEqual([expect.stringMatching(sentence)])
  })

  test('a URL that the file cuts off is told', () => {
    expect(mistakes({}, 'DATABASE_URL=postgresql://u:a#b@db/d')).toContainEqual(
      expect.stringContaining('DATABASE_URL is cut off at an unquoted #'),
    )
  })

  test('none shows a password', () => {
    for (const url of [
      'postgresql://u:hunter2@h:x/d',
      'postgresql://u:hunter2%@h/d',
      'u:hunter2@h',
      'postgresql://u:hunter2@x@h/d?password=hunter2&y=hunter2',
    ]) {
      const told = mistakes({ DATABASE_URL: url })
      expect(told).not.toEqual([])
      expect(told.join()).not.toContain('hunter2')
    }
  })
})
