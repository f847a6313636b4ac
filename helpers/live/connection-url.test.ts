import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseConnectionUrl } from './connection-url.ts'

describe('a connection URL', () => {
  test.each([
    ['postgresql://', {}],
    ['postgres:///dispatch', { dbname: 'dispatch' }],
    ['postgresql://db.example:6432/dispatch', { host: 'db.example', port: '6432', dbname: 'dispatch' }],
    ['postgresql://ops@[::1]:5432', { user: 'ops', host: '::1', port: '5432' }],
    ['postgresql://%2Frun%2Fpg/dispatch?user=ops', { host: '/run/pg', dbname: 'dispatch', user: 'ops' }],
    ['postgresql:///dispatch?host=/run/pg&port=5433', { dbname: 'dispatch', host: '/run/pg', port: '5433' }],
    [
      'postgresql://u:p%40%3A%2F@h/d?sslmode=require',
      { user: 'u', password: 'p@:/', host: 'h', dbname: 'd', sslmode: 'require' },
    ],
    ['postgresql://u:a#b?c@h/d#e', { user: 'u', password: 'a#b?c', host: 'h', dbname: 'd#e' }],
    ['postgresql://h/d?ssl=true&application_name=x', { host: 'h', dbname: 'd', sslmode: 'require' }],
  ])('%s is read as by libpq', (url, values) => {
    expect(parseConnectionUrl(url)).toEqual({ values, mistakes: [] })
  })

  test.each([
    ['dispatch', 'is not a connection URL'],
    ['mysql://h/d', 'is not a connection URL'],
    ['postgresql://u:p@w@h/d', 'has no host and port that could be read'],
    ['postgresql://::1/d', 'has no host and port that could be read'],
    ['postgresql://a,b/d', 'names several hosts'],
    ['postgresql://u:100%@h/d', 'holds a percent sign in its password that begins no %XX'],
    ['postgresql://h/d?schema=public', 'has the parameter schema, which is not read here'],
    ['postgresql://h/d?sslmode', 'has a parameter behind ? that is not name=value'],
  ])('%s is a mistake', (url, sentence) => {
    expect(parseConnectionUrl(url).mistakes).toEqual([expect.stringContaining(sentence)])
  })

  test('brings back whatever was encoded into it, and no mistake shows a password', () => {
    const part = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !text.includes('\0'))
    fc.assert(
      fc.property(part, part, part, (user, password, dbname) => {
        const [u, p, d] = [user, password, dbname].map(encodeURIComponent)
        expect(parseConnectionUrl(`postgresql://${u}:${p}@h:1/${d}`).values).toEqual({
          user,
          password,
          dbname,
          host: 'h',
          port: '1',
        })
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), tail => {
        const { mistakes } = parseConnectionUrl(`postgresql://u:hunter2%${tail}`)
        expect(mistakes.join()).not.toContain('hunter2')
      }),
    )
  })
})
