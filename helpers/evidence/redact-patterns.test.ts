import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hideRecognised, isPath, saysSecret } from './redact-patterns.ts'

const hide = (text: string) => hideRecognised(text, '[redacted]')

describe('what is recognised as a secret is hidden', () => {
  test.each([
    'pwd: canary-7',
    'passwd canary-7',
    'passphrase=canary-7',
    "CREATE USER x IDENTIFIED BY 'canary-7'",
    "ALTER ROLE x PASSWORD 'canary-7'",
    "alter role x with encrypted password E'canary-7'",
    'ALTER ROLE x PASSWORD $$canary-7$$',
    'password=canary-7',
    'password := canary-7',
    'PGPASSWORD=canary-7 psql',
    "sh -c 'PGPASSWORD=canary-7'",
    'token=canary-7',
    'secret: two words canary-7',
    'password: 00000000 canary-7',
    'password: [redacted] canary-7',
    'Authorization: Bearer canary-7',
    'Authorization: Basic bWU6 canary-7',
    'sent Bearer canary-7',
    'AWS_SECRET_ACCESS_KEY=canary-7',
    'clientSecret=canary-7',
    "host=h password='a canary-7' user=u",
    String.raw`host=h password='a\' canary-7' user=u`,
    'postgres://u@h/db?password=canary-7',
    'postgres://u@h/db?sslmode=require&password=canary-7',
    'postgres://u:canary-7@h/db',
    'https://canary-7@github.com/x',
    'https://u:p@canary-7@h/x',
    'https://u:p/canary-7@h/x',
    'PW="canary-7"',
    'Cookie: session=canary-7',
    'https://blob.example/x?se=1&sig=canary-7',
    'https://s3.example/x?X-Amz-Signature=canary-7',
    'x-api-key: canary-7',
    '{"password":"canary-7"}',
    String.raw`{\"token\": \"canary-7\", \"a\": 1}`,
    'tool --password canary-7 -v',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.canary-7',
    'xoxb-123456789012-canary-7',
    '-----BEGIN PRIVATE KEY-----\ncanary-7\n-----END PRIVATE KEY-----',
  ])('%s', text => {
    expect(hide(text)).not.toContain('canary-7')
    expect(hide(text)).toContain('[redacted]')
    // What went through it before, as a drill's record has, stays as it is.
    expect(hide(hide(text))).toBe(hide(text))
  })

  test.each(['AKIAIOSFODNN7EXAMPLE', `ghp_${'a1B2'.repeat(9)}`, `github_pat_11AAAAAAA0${'a1B2'.repeat(9)}`])(
    'a token of a known form: %s',
    token => {
      expect(hide(`told (${token}).`)).toBe('told ([redacted]).')
    },
  )

  test('and what stands beside it is left', () => {
    expect(hide('{"password":"x y","lsn":"0/3000028"}')).toBe('{"password":"[redacted]","lsn":"0/3000028"}')
    expect(hide('host=h password=x user=u')).toBe('host=h password=[redacted] user=u')
    expect(hide('postgres://u:x@h/db?password=y&sslmode=require')).toBe(
      'postgres://u:[redacted]@h/db?password=[redacted]&sslmode=require',
    )
  })
})

describe('what is none stays', () => {
  test.each([
    'password_encryption = scram-sha-256',
    'FATAL:  password authentication failed for user "dispatch_api"',
    'the role logs in with its password again',
    'CREATE ROLE x PASSWORD NULL',
    '{"password":null,"token":true}',
    'a signature: 5 bytes, "keyId": "0a1b"',
    'DRILL_SECRETS=VAULT_WORD,PGPASSWORD',
    'PWD=/home/drill',
    'DRILL_SIGNING_KEY=/etc/drill/key.pem',
    'Key (id)=(5) already exists: duplicate key value',
    'SELECT rolpassword::text FROM pg_authid',
    'passed: 12, primary_key: id',
    'postgresql://me@db:5432/app, asked by me@example.org',
    'http://127.0.0.1:8080/health?by=me@example.org',
    'git@github.com:me/drills.git',
    'local user postgres is in /etc/passwd of this machine',
  ])('%s', text => {
    expect(hide(text)).toBe(text)
  })

  test('an LSN, a transaction, a checksum or a commit, whatever its value', () => {
    const hex = (length: number) =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
        .map(all => all.join(''))
    fc.assert(
      fc.property(fc.nat(), hex(40), hex(64), (number, commit, sum) => {
        const text = `replay at ${number.toString(16).toUpperCase()}/3000028, xid ${number}, commit ${commit}, sha256:${sum}`
        expect(hide(text)).toBe(text)
      }),
    )
  })
})

test.each([
  ['PGPASSWORD', true],
  ['vault_token', true],
  ['repo1-cipher-pass', true],
  ['apiKey', true],
  ['SECRET_KEY_BASE', true],
  ['DRILL_SECRETS', false],
  ['password_encryption', false],
  ['PGPASSFILE', false],
  ['keyId', false],
  ['compass', false],
])('that %s says to hold a secret: %s', (name, says) => {
  expect(saysSecret(name)).toBe(says)
})

test('a path is told from a password', () => {
  expect(['/run/agent.sock', './key.pem', '~/key'].every(isPath)).toBe(true)
  expect(['s3cr3t', '//:?'].some(isPath)).toBe(false)
})

describe('a line of a megabyte takes time that grows with its length alone', () => {
  // Each is what one of the patterns begins with, or goes on over.
  test.each([
    ...['a', '-', ' ', "'", 'secret', 'password=', "password='", String.raw`password=\'`, 'password $', 'passwd '],
    ...['-----BEGIN ', 'eyJa', 'eyJ.', 'a://b:', 'a://u@', 'Bearer ', 'login ', '--a', '$$', '@', 'X='],
  ])('of %j', piece => {
    const line = piece.repeat(1_000_000 / piece.length)
    const before = performance.now()
    hide(line)
    hide(`password=${line}`)
    hide(`password: ${line}`)
    hide(`https://${line}`)
    // Some hundredths of a second each; a pattern whose time grows with the square takes minutes.
    expect(performance.now() - before).toBeLessThan(10_000)
  })
})
