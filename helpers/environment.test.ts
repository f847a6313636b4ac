import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  ConfigMistakes,
  loadTogether,
  readVariables,
  redact,
  redactCommand,
  secretsOf,
  secretsOfEnvironment,
  secretsOfKey,
} from './environment.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'environment-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('the variables of one kind', () => {
  const file = path.join(folder, '.env')
  const read = (environment: NodeJS.ProcessEnv) => readVariables(name => /^[AB]$/.test(name), environment, file)

  test('come from the environment, and what that leaves out from the file', () => {
    writeFileSync(file, 'A=file\nB=file\nC=file\n')
    expect(read({ B: ' set ', C: 'set' })).toEqual({ values: { A: 'file', B: 'set' }, mistakes: [] })
    expect(read({ B: '' })).toEqual({ values: { A: 'file' }, mistakes: [] })
  })

  test('alone are looked at for a # that cuts them off', () => {
    writeFileSync(file, 'A=x#y\nC=x#y\n')
    expect(read({}).mistakes).toEqual([expect.stringMatching(/^A is cut off at an unquoted #/)])
  })
})

describe('what several loaders read', () => {
  const refuse = (...mistakes: string[]) => {
    throw new ConfigMistakes(mistakes)
  }

  test('is given together, or refused with all that is wrong', () => {
    expect(
      loadTogether(
        () => 1,
        () => 'a',
        () => undefined,
      ),
    ).toEqual([1, 'a', undefined])
    const loading = () =>
      loadTogether(
        () => refuse('one', 'two'),
        () => 1,
        () => refuse('two', 'three'),
      )
    expect(loading).toThrow(new ConfigMistakes(['one', 'two', 'three']))
  })

  test('does not hide an error', () => {
    const fail = () => {
      throw new TypeError('broken')
    }
    expect(() => loadTogether(() => refuse('one'), fail, fail)).toThrow(TypeError)
  })
})

describe('what is shown', () => {
  test.each([
    ['PGPASSWORD=secret cp %p {archive}/%f', 'PGPASSWORD=*** cp %p {archive}/%f'],
    ['http://me:secret@localhost:{port}/health', 'http://***@localhost:{port}/health'],
    ['tool --token "a b" push %p', 'tool --token *** push %p'],
    ['test ! -f {archive}/%f && cp %p {archive}/%f', 'test ! -f {archive}/%f && cp %p {archive}/%f'],
    ['duplicate key value violates unique constraint', 'duplicate key value violates unique constraint'],
  ])('what is no secret stays: %s', (text, redacted) => {
    expect(redact(text)).toBe(redacted)
  })
})

describe('what is shown of a command', () => {
  test.each([
    ['X=s3cr3t; cp %p /mnt/%f', 'X=***; cp %p /mnt/%f'],
    ['A=s3cr3t B="s3 cr3t" push %p', 'A=*** B=*** push %p'],
    ["test -f %p && X='s3'\\''cr3t' push %p", 'test -f %p && X=*** push %p'],
    ['env -i X=s3cr3t push %p', 'env -i X=*** push %p'],
    ['export X=s3cr3t; push %p', 'export X=***; push %p'],
    ["sh -c 'X=s3cr3t; push %p'", "sh -c 'X=***; push %p'"],
    ['docker run -e X=s3cr3t image %p', 'docker run -e X=*** image %p'],
    ['docker run --env=X=s3cr3t image %p', 'docker run --env=X=*** image %p'],
    ['push --password s3cr3t %p', 'push --password *** %p'],
    ['push --password=s3cr3t %p', 'push --password=*** %p'],
    ['PGPASSWORD=s3cr3t psql', 'PGPASSWORD=*** psql'],
    ['curl -u me:s3cr3t -T %p sftp://host/%f', 'curl -u *** -T %p sftp://host/%f'],
    ['curl --user me:s3cr3t -T %p', 'curl --user *** -T %p'],
    ['curl -T %p https://me:s3cr3t@host/%f', 'curl -T %p https://***@host/%f'],
    ['rsync %p me:s3cr3t@host::wal/%f', 'rsync %p ***@host::wal/%f'],
    ['sshpass -p s3cr3t scp %p host:/wal/%f', 'sshpass -p *** scp %p host:/wal/%f'],
    ["X='s3cr3t", 'X=***'],
    ['X=$(printf s3cr3t) push %p', 'X=*** push %p'],
  ])('no secret is: %s', (command, shown) => {
    expect(redactCommand(command)).toBe(shown)
  })

  test.each([
    'test ! -f /mnt/%f && cp %p /mnt/%f',
    'dd if=%p of=/mnt/%f bs=1M',
    'dd if="%p" of="/mnt/%f"',
    'pgbackrest --stanza=demo archive-push %p',
    'scp -p %p me@host:/wal/%f',
    '(disabled)',
    '',
  ])('the rest is: %s', command => {
    expect(redactCommand(command)).toBe(command)
  })
})

describe('the secrets in what the user has set', () => {
  test.each([
    ['DRILL_API_COMMAND', 'env MYPASSWORD=hunter2secret node api.js', 'hunter2secret'],
    ['DRILL_API_COMMAND', 'api --token abcTOKEN9 --verbose', 'abcTOKEN9'],
    ['DRILL_ARCHIVE_COMMAND', 'push https://me:wal-pass@store/%f %p', 'wal-pass'],
    ['DRILL_ARCHIVE_COMMAND', 'curl -u me:wal-pass -T %p https://store/%f', 'wal-pass'],
    ['DRILL_ARCHIVE_COMMAND', "curl --user 'me:wal-pass' -T %p https://store/%f", 'wal-pass'],
    ['DRILL_RESTORE_COMMAND', 'sshpass -p wal-pass scp host:/wal/%f %p', 'wal-pass'],
  ])('of %s = %s', (name, value, secret) => {
    expect(secretsOf({ variables: { [name]: value } })).toContain(secret)
  })

  test('are those that the user names besides, whatever they look like', () => {
    expect(secretsOf({ variables: {}, secrets: ['plain word'] })).toEqual(['plain word'])
  })

  test('are none where nothing is named like one', () => {
    expect(
      secretsOf({ variables: { DRILL_RUNTIME: 'docker', DRILL_RESTORE_COMMAND: 'cp "{archive}/%f" "%p"' } }),
    ).toEqual([])
  })
})

describe('the secrets of an environment', () => {
  test('are the values of variables whose names say so', () => {
    const secrets = { DB_PASSWORD: 'hunter2-secret', AWS_SECRET_ACCESS_KEY: 'wJalr/XUtn+FEMI', SESSION_KEY: 'a1b2c3d4' }
    expect(secretsOfEnvironment({ ...secrets, HOME: '/home/drill', USER: 'postgres-17' })).toEqual(
      Object.values(secrets),
    )
  })

  test.each([
    ['SSH_KEY', '/home/drill/.ssh/id_ed25519'],
    ['USE_TOKEN', 'true'],
    ['DB_PASSWORD', 'postgres'],
    ['DB_PASSWORD', 'short-1'],
    ['TOKEN', '20251127'],
    ['CACHE_KEY', 'f65e48c0aa11f65e48c0aa11f65e48c0aa11ffff'],
    ['PUBLIC_KEY', 'MCowBQYDK2VwAyEA'],
    ['DRILL_SECRETS', 'VAULT_WORD,OTHER_WORD'],
    ['PGPASSFILE', '.pgpass-of-drill'],
    ['KEYBOARD', 'us-international-1'],
  ])('are not of %s=%s', (name, value) => {
    expect(secretsOfEnvironment({ [name]: value })).toEqual([])
  })
})

describe('a private key', () => {
  const { privateKey } = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const body = privateKey.split('\n')[1] ?? ''

  test('is a secret whole and line by line, its line breaks as they are or as an environment has them', () => {
    expect(secretsOfKey(privateKey)).toEqual([privateKey, body])
    expect(secretsOfKey(privateKey.replaceAll('\n', '\\n'))).toContain(body)
  })

  test('is hidden where it stands, also when it is cut off', () => {
    const hidden = '-----BEGIN PRIVATE KEY-----***'
    expect(redact(privateKey)).toBe(`${hidden}-----END PRIVATE KEY-----\n`)
    expect(redact(`signed with ${privateKey.slice(0, 60)}`)).toBe(`signed with ${hidden}`)
  })

  test('is not the path of a file', () => {
    expect(secretsOfKey('/etc/drill/key.pem')).toEqual([])
  })
})
