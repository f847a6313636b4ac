import { describe, expect, test } from 'vitest'
import { connectionRefused, whereIs } from './connection-refused.ts'
import type { DirectConfig } from './live-config.ts'

const CONFIG: DirectConfig = {
  way: 'direct',
  host: 'db.example',
  port: 5432,
  user: 'ops',
  password: 'hunter2',
  passFile: '/none',
  database: 'dispatch',
  sslMode: 'verify-full',
  sslRootCert: undefined,
  sslCert: undefined,
  sslKey: undefined,
  connectTimeoutSeconds: 10,
}

const failed = (code: string | undefined, message = 'it says why') => Object.assign(new Error(message), { code })

describe('a connection that was refused', () => {
  test.each<[string | undefined, RegExp]>([
    ['EACCES', /may not be used by this operating system user: run as/],
    ['EAI_AGAIN', /nothing knows the name db\.example; put it right/],
    ['EHOSTUNREACH', /cannot be reached \(EHOSTUNREACH\): see whether/],
    ['ECONNRESET', /cut the connection off before it was made: see the log/],
    ['42501', /does not let ops connect to dispatch: grant CONNECT/],
    ['53300', /has no connection left: wait/],
    ['57P03', /takes no connections at the moment \(it says why\): wait/],
    ['CERT_HAS_EXPIRED', /a certificate that is not valid now \(it says why\): renew it/],
    ['XX000', /took no connection \(XX000: it says why\): put that right/],
    [undefined, /took no connection \(it says why\): put that right/],
  ])('with %s is one sentence that says where and what to do', (code, sentence) => {
    const { message } = connectionRefused(failed(code), CONFIG)
    expect(message).toMatch(/^db\.example:5432\/dispatch /)
    expect(message).toMatch(sentence)
    expect(message).not.toContain('hunter2')
  })

  test('of several addresses is told by the first', () => {
    const error = new AggregateError([failed('ECONNREFUSED'), failed('ENETUNREACH')])
    expect(connectionRefused(error, CONFIG).message).toMatch(/refuses connections/)
  })

  test('does not repeat a secret that a server repeats', () => {
    const error = failed('28000', 'no entry for postgresql://ops:hunter2@db.example/dispatch')
    expect(connectionRefused(error, CONFIG).message).not.toContain('hunter2')
  })
})

test.each([
  ['db.example', 'db.example:5432/d'],
  ['::1', '[::1]:5432/d'],
  ['/run/pg', '/run/pg/.s.PGSQL.5432/d'],
])('a server at %s is %s', (host, where) => {
  expect(whereIs({ host, port: 5432 }, 'd')).toBe(where)
})
