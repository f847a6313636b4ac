import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigMistakes } from '../environment.ts'
import { Lsn } from '../postgres/lsn.ts'
import { describeRestoreConfig, loadRestoreConfig } from './restore-config.ts'

const load = (environment: NodeJS.ProcessEnv, apiCommand?: string) =>
  loadRestoreConfig({ apiCommand }, environment, '/no/such/.env')

const mistakesOf = (environment: NodeJS.ProcessEnv, apiCommand?: string): readonly string[] => {
  try {
    load(environment, apiCommand)
  } catch (error) {
    if (error instanceof ConfigMistakes) return error.mistakes
    throw error
  }
  return []
}

describe('what is set for a restore', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'restore-config-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('needs no more than a backup, which is then restored to the end of the WAL that it has', () => {
    expect(load({ RESTORE_BACKUP: 'backups/last' })).toMatchObject({
      backup: path.resolve('backups/last'),
      wal: undefined,
      target: { kind: 'latest' },
      snapshot: undefined,
    })
  })

  it('is read from the environment, and from .env where that has none', () => {
    const file = path.join(folder, '.env')
    writeFileSync(
      file,
      'RESTORE_BACKUP=/a\nRESTORE_TARGET=lsn:0/3000060\nRESTORE_COMMAND="fetch %f %p # all"\nRESTORE_KEYS=x\n',
    )
    const config = loadRestoreConfig({ apiCommand: undefined }, { RESTORE_BACKUP: '/b', RESTORE_CHECKS: '' }, file)
    expect(config).toMatchObject({
      backup: '/b',
      wal: { command: 'fetch %f %p # all' },
      target: { kind: 'lsn', lsn: Lsn.parse('0/3000060'), inclusive: false },
      checks: undefined,
    })
  })

  it('is shown without secrets', () => {
    const config = load({ RESTORE_BACKUP: '/b', RESTORE_COMMAND: 'fetch --token abcdef %f %p' })
    expect(describeRestoreConfig(config)).toEqual({ RESTORE_BACKUP: '/b', RESTORE_COMMAND: 'fetch --token *** %f %p' })
  })

  it('is refused with all that is wrong at once', () => {
    expect(
      mistakesOf(
        {
          RESTORE_SNAPSHOTS: 'a.json',
          RESTORE_WAL: '/wal',
          RESTORE_COMMAND: 'fetch %q',
          RESTORE_TARGET: 'time:2026-11-23 01:48:50',
          RESTORE_HEALTH_COMMAND: 'psql postgres://app:secret@db1/app -c "SELECT 1"',
        },
        'PGHOST=db1 node api.js',
      ),
    ).toEqual([
      'RESTORE_SNAPSHOTS is not a variable of the restore drill: did you mean RESTORE_SNAPSHOT?',
      expect.stringMatching(/^RESTORE_BACKUP is not set: /),
      expect.stringMatching(/^RESTORE_COMMAND does not mention %f: /),
      expect.stringMatching(/^RESTORE_COMMAND does not mention %p: /),
      expect.stringMatching(/^RESTORE_COMMAND holds a percent sign before something else /),
      expect.stringMatching(
        /^RESTORE_TARGET holds a time .* does not say on which clock.*write 2026-11-23 01:48:50\+00/,
      ),
      expect.stringMatching(/^RESTORE_WAL and RESTORE_COMMAND are both set/),
      expect.stringMatching(/^DRILL_API_COMMAND names a database of its own \(PGHOST=db1\)/),
      expect.stringMatching(/^RESTORE_HEALTH_COMMAND names a database of its own \(postgres:\/\/\*\*\*@db1\/app\)/),
    ])
  })

  it('wants a snapshot where the target is one', () => {
    expect(mistakesOf({ RESTORE_BACKUP: '/b', RESTORE_TARGET: 'snapshot' })).toEqual([
      expect.stringMatching(/^RESTORE_TARGET is snapshot, and there is none: set RESTORE_SNAPSHOT/),
    ])
  })
})
