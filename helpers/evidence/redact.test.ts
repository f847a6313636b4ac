import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact, redactText } from './redact.ts'

describe('redact', () => {
  it('removes a secret from values, keys and texts around it', () => {
    const seen = { url: 'postgres://drill:canary@127.0.0.1/', list: ['x', { canary: 'canary' }], count: 3 }
    expect(redact(seen, ['canary'])).toEqual({
      url: 'postgres://drill:[redacted]@127.0.0.1/',
      list: ['x', { '[redacted]': '[redacted]' }],
      count: 3,
    })
  })

  it('removes a secret as it stands in a URL and in JSON text', () => {
    const secret = 'p@ss/"word"'
    expect(redactText(`${encodeURIComponent(secret)} ${JSON.stringify({ secret })}`, [secret])).toBe(
      '[redacted] {"secret":"[redacted]"}',
    )
  })

  it('removes the whole of a secret that has another one in it', () => {
    expect(redactText('abcdef', ['abc', 'abcdef'])).toBe('[redacted]')
  })

  it('removes the password of any URL, and any private key, known or not', () => {
    expect(redactText('at postgresql://me:canary@db:5432/app, asked by me@example.org', [])).toBe(
      'at postgresql://me:[redacted]@db:5432/app, asked by me@example.org',
    )
    expect(redactText('-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n', [])).toBe(
      '-----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY-----\n',
    )
    expect(redactText('http://127.0.0.1:8080/health answers 200', [])).toBe('http://127.0.0.1:8080/health answers 200')
  })

  it('does nothing for an empty secret', () => {
    expect(redactText('abc', [''])).toBe('abc')
  })

  it('turns what JSON cannot hold into what it can', () => {
    const loop: Record<string, unknown> = {
      lsn: 3n,
      nothing: undefined,
      not: Number.NaN,
      at: new Date(0),
      call: () => 1,
    }
    loop.self = loop
    expect(redact(loop, [])).toEqual({ lsn: '3', not: 'NaN', at: '1970-01-01T00:00:00.000Z', self: '[circular]' })
  })

  it('leaves no secret in any value, and gives JSON for any value', () => {
    const secret = 'S3cr3t/canary"'
    const text = fc.string().map(around => `${around}${secret}${around}`)
    fc.assert(
      fc.property(
        fc.object({
          key: fc.oneof(fc.string(), text),
          values: [text, fc.bigInt(), fc.double(), fc.date(), fc.string()],
        }),
        value => {
          const json = JSON.stringify(redact(value, [secret]))
          expect(json).not.toContain(JSON.stringify(secret).slice(1, -1))
          expect(redact(JSON.parse(json), [])).toEqual(JSON.parse(json))
        },
      ),
    )
  })
})
