import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { findPassword, passwordFromFile } from './pass-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'pass-file-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const key = { host: 'db.example', port: 5432, user: 'ops', database: 'dispatch' }

describe('a password file', () => {
  test.each([
    ['db.example:5432:dispatch:ops:right', 'right'],
    ['*:*:*:*:right', 'right'],
    ['db.example:5433:dispatch:ops:wrong\ndb.example:*:dispatch:ops:right\n*:*:*:*:wrong', 'right'],
    ['#db.example:5432:dispatch:ops:wrong\r\n*:*:*:*:right\r\n', 'right'],
    ['*:*:*:ops:a\\:b\\\\c', 'a:b\\c'],
    ['*:*:*:ops:right:and more', 'right'],
    ['\\*:*:*:*:wrong', undefined],
    ['db.example:5432:dispatch:ops', undefined],
    ['db.example:5432:dispatch:ops:', undefined],
    [':5432:dispatch:ops:wrong', undefined],
    ['Db.example:5432:dispatch:ops:wrong', undefined],
    ['', undefined],
  ])('%j holds %j', (text, password) => {
    expect(findPassword(text, key)).toBe(password)
  })

  test.each([
    ['/var/run/postgresql', 'localhost:*:*:*:right', 'right'],
    ['/srv/sockets', 'localhost:*:*:*:wrong\n/srv/sockets:*:*:*:right', 'right'],
  ])('for the socket in %s is asked for as libpq does', (host, text, password) => {
    expect(findPassword(text, { ...key, host })).toBe(password)
  })

  test('brings back whatever was written into it with backslashes', () => {
    const part = fc.string({ unit: 'grapheme-ascii', minLength: 1 })
    const written = (text: string) => text.replaceAll(/[\\:]/g, '\\$&').replace(/^\*$/, '\\*')
    fc.assert(
      fc.property(
        part.filter(host => !host.startsWith('#')),
        part,
        part,
        part,
        (host, database, user, password) => {
          const line = `${[host, '5432', database, user, password].map(written).join(':')}\n`
          expect(findPassword(line, { host, port: 5432, database, user })).toBe(password)
        },
      ),
    )
  })

  test('that others may read is ignored, with a warning, and so is what is no file', () => {
    const file = path.join(folder, 'pgpass')
    writeFileSync(file, '*:*:*:*:right', { mode: 0o600 })
    expect(passwordFromFile(file, key)).toEqual({ password: 'right' })
    for (const mode of [0o640, 0o604, 0o620]) {
      chmodSync(file, mode)
      expect(passwordFromFile(file, key)).toEqual({ warning: expect.stringMatching(/is ignored.*mode to 0600$/) })
    }
    const another = path.join(folder, 'folder')
    mkdirSync(another, { mode: 0o700 })
    expect(passwordFromFile(another, key)).toEqual({ warning: expect.stringContaining('no plain file') })
    expect(passwordFromFile(path.join(folder, 'none'), key)).toEqual({})
  })
})
