import { spawnSync } from 'node:child_process'
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateKeys } from './keygen.ts'
import { loadSigningKey, loadVerifyingKey } from './keys.ts'
import { newKeys } from './sealed-sample.ts'

const keys = newKeys()
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPrivate = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const rsaPublic = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const encrypted = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  .toString()

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'keys-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function file(text: string): string {
  const where = path.join(folder, 'key.pem')
  writeFileSync(where, text)
  return where
}

describe('loadSigningKey', () => {
  it('takes a PEM, or the path of a file with one', () => {
    expect(loadSigningKey(keys.privatePem).keyId).toBe(keys.signing.keyId)
    expect(loadSigningKey(file(keys.privatePem)).keyId).toBe(keys.signing.keyId)
  })

  it('takes a PEM whose line breaks are spelled, as CI systems keep a secret on one line', () => {
    expect(loadSigningKey(keys.privatePem.replaceAll('\n', '\\n')).keyId).toBe(keys.signing.keyId)
    expect(loadSigningKey(keys.privatePem.replaceAll('\n', '\\r\\n')).keyId).toBe(keys.signing.keyId)
  })

  it('gives the key the SHA-256 of its public one as openssl writes it', () => {
    const { stdout } = spawnSync('openssl', ['pkey', '-pubin', '-outform', 'DER'], { input: keys.publicPem })
    expect(loadSigningKey(keys.privatePem).keyId).toBe(createHash('sha256').update(stdout).digest('hex'))
  })

  const withoutFrame = keys.privatePem.split('\n')[1] ?? ''
  it.each<[string, string, string]>([
    ['a public key', keys.publicPem, 'DRILL_SIGNING_KEY holds no Ed25519 private key'],
    ['an RSA key', rsaPrivate, 'DRILL_SIGNING_KEY holds no Ed25519 private key'],
    ['a key with a passphrase', encrypted, 'DRILL_SIGNING_KEY holds no Ed25519 private key'],
    ['a key that is cut off', keys.privatePem.slice(0, 60), 'DRILL_SIGNING_KEY holds no Ed25519 private key'],
    [
      'a key without its frame',
      withoutFrame,
      'DRILL_SIGNING_KEY is neither a PEM nor the path of a file that can be read',
    ],
    ['a file that is not there', '/nowhere/key.pem', 'is neither a PEM nor the path'],
  ])('refuses %s in a sentence that does not show it', (_, text, sentence) => {
    expect(() => loadSigningKey(text)).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining(sentence) }),
    )
    const error = errorOf(() => loadSigningKey(text))
    for (const line of text.split('\n').filter(one => one.length > 8 && !one.startsWith('-----')))
      expect(`${error.message} ${error.stack} ${error.cause}`).not.toContain(line)
  })

  it('refuses a file that holds something else', () => {
    expect(() => loadSigningKey(file('secret'))).toThrow(
      'the file that DRILL_SIGNING_KEY names holds no Ed25519 private key',
    )
  })
})

describe('loadVerifyingKey', () => {
  it('takes a file with a public key', () => {
    expect(loadVerifyingKey(file(keys.publicPem)).keyId).toBe(keys.verifying.keyId)
  })

  it.each([
    ['the private key', keys.privatePem, 'holds a private key, which is for signing alone'],
    ['an RSA key', rsaPublic, 'holds no Ed25519 public key'],
    ['something else', 'secret', 'holds no Ed25519 public key'],
  ])('refuses %s', (_, text, sentence) => {
    expect(() => loadVerifyingKey(file(text))).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining(sentence) }),
    )
  })

  it('refuses a file that is not there', () => {
    expect(() => loadVerifyingKey(path.join(folder, 'none.pem'))).toThrow('cannot be read (ENOENT)')
  })
})

describe('generateKeys', () => {
  it('makes a pair that belongs together, the private key for its owner alone', () => {
    const { privateKeyFile, publicKeyFile, keyId } = generateKeys(folder)
    expect(loadSigningKey(privateKeyFile).keyId).toBe(keyId)
    expect(loadVerifyingKey(publicKeyFile).keyId).toBe(keyId)
    expect(statSync(privateKeyFile).mode & 0o777).toBe(0o600)
    expect(createPublicKey(readFileSync(publicKeyFile)).asymmetricKeyType).toBe('ed25519')
    expect(readdirSync(folder).sort()).toEqual(['drill-signing-key.pem', 'drill-signing-key.pub.pem'])
  })

  it.each(['drill-signing-key.pem', 'drill-signing-key.pub.pem'])('overwrites no %s', name => {
    writeFileSync(path.join(folder, name), 'mine')
    expect(() => generateKeys(folder)).toThrow('is there already, and no key is overwritten')
    expect(readdirSync(folder)).toEqual([name])
    expect(readFileSync(path.join(folder, name), 'utf8')).toBe('mine')
  })

  it('makes none where git would take it in', () => {
    spawnSync('git', ['init', '--quiet', folder])
    mkdirSync(path.join(folder, 'below'))
    expect(() => generateKeys(path.join(folder, 'below'))).toThrow('git would take in')
    expect(readdirSync(path.join(folder, 'below'))).toEqual([])
    writeFileSync(path.join(folder, '.gitignore'), 'drill-signing-key.pem\n')
    expect(generateKeys(path.join(folder, 'below')).keyId).toMatch(/^[0-9a-f]{64}$/)
  })

  it('makes the folder, for its owner alone, unless git would take the key in', () => {
    const { privateKeyFile } = generateKeys(path.join(folder, 'new', 'keys'))
    expect(statSync(path.dirname(privateKeyFile)).mode & 0o777).toBe(0o700)
    spawnSync('git', ['init', '--quiet', folder])
    expect(() => generateKeys(path.join(folder, 'other', 'keys'))).toThrow('git would take in')
    expect(readdirSync(folder).sort()).toEqual(['.git', 'new'])
  })

  it('refuses a folder that is a file', () => {
    expect(() => generateKeys(file('x'))).toThrow(/key.pem is a file.*: name a folder/)
    expect(() => generateKeys(path.join(file('x'), 'below'))).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining('cannot be made (ENOTDIR)') }),
    )
  })
})

function errorOf(body: () => unknown): Error {
  try {
    body()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was not refused')
}
