import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
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

  it('removes what a field holds that is named like a secret', () => {
    expect(redact({ apiKey: 'canary', keyId: '7', token: 7, password_encryption: 'scram-sha-256' }, [])).toEqual({
      apiKey: '[redacted]',
      keyId: '7',
      token: 7,
      password_encryption: 'scram-sha-256',
    })
  })

  it('removes each line of a secret that has several, unless it is short', () => {
    const secret = 'first of them\nsecond of them\r\nend\n'
    expect(redactText('> second of them\n> end', [secret])).toBe('> [redacted]\n> end')
    expect(redactText(JSON.stringify({ secret }), [secret])).toBe('{"secret":"[redacted]"}')
  })

  it('removes a secret as it stands in XML', () => {
    const secret = `p<a>s"s'&`
    for (const text of ['p&lt;a&gt;s"s\'&amp;', 'p&lt;a&gt;s&quot;s&apos;&amp;', 'p&lt;a&gt;s&quot;s&#39;&amp;'])
      expect(redactText(`<x>${text}</x>`, [secret])).toBe('<x>[redacted]</x>')
  })

  it('removes a secret in base64 and in hexadecimal, whatever stands before it', () => {
    const secret = 'a listed canary'
    for (const before of ['', 'a', 'ab', 'abc', 'me:']) {
      const text = Buffer.from(`${before}${secret} and more`).toString('base64')
      const [first = '', second = ''] = redactText(text, [secret]).split('[redacted]')
      expect(text.startsWith(first)).toBe(true)
      expect(Buffer.from(second, 'base64').toString()).not.toContain('canary')
      expect(first.length).toBeLessThanOrEqual(Math.ceil((before.length * 4) / 3) + 1)
    }
    expect(redactText(Buffer.from(secret).toString('hex'), [secret])).toBe('[redacted]')
  })

  it('removes what a command that a server quotes is given', () => {
    expect(redactText('DETAIL:  The failed archive command was: X=canary push %p', [])).toBe(
      'DETAIL:  The failed archive command was: X=*** push %p',
    )
    expect(redactText('WARNING:  recovery_end_command "X=canary push": exit code 1', [])).not.toContain('canary')
  })

  it('takes little time for a command of a megabyte', () => {
    expect(redactText(`command was: ${'key'.repeat(333_333)}`, [])).toBe('command was: [redacted]')
  })

  it('leaves what drills, their SQL and their servers say as it is', () => {
    const root = path.resolve(import.meta.dirname, '../..')
    const texts = readdirSync(path.join(root, 'drills'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.spec.ts'))
      .map(file => readFileSync(path.join(root, 'drills', file), 'utf8'))
    expect(texts.length).toBeGreaterThan(30)
    for (const text of texts) expect(redactText(text, [])).toBe(text)
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
