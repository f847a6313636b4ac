import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { CannotRun } from '../../helpers/failure.ts'

export interface SigningKey {
  privateKey: KeyObject
  /** That of its public key. */
  keyId: string
}

export interface VerifyingKey {
  publicKey: KeyObject
  keyId: string
}

const REMEDY = 'make a pair by npm run evidence:keygen'

/**
 * What `DRILL_SIGNING_KEY` holds: a PEM, or the path of a file with one.
 * @throws {CannotRun} for all that is no Ed25519 private key. Neither the text nor a path stands in the message: the text
 * may be a key that has lost its first line.
 */
export function loadSigningKey(text: string): SigningKey {
  const isPem = text.includes('-----BEGIN')
  // CI systems keep a secret on one line.
  const pem = isPem ? text.replaceAll(/(?:\\r)?\\n/g, '\n') : readKeyFile(text)
  const where = isPem ? 'DRILL_SIGNING_KEY holds' : 'the file that DRILL_SIGNING_KEY names holds'
  const privateKey = parsed(() => createPrivateKey(pem))
  if (privateKey?.asymmetricKeyType !== 'ed25519')
    throw new CannotRun(`${where} no Ed25519 private key as PEM without a passphrase: ${REMEDY}`)
  return { privateKey, keyId: keyIdOf(createPublicKey(privateKey)) }
}

/** What everybody may have of a key that signs. */
export function verifyingKeyOf({ privateKey, keyId }: SigningKey): VerifyingKey {
  return { publicKey: createPublicKey(privateKey), keyId }
}

/** @throws {CannotRun} for a file that holds no Ed25519 public key, or the private one, which nobody who verifies should have. */
export function loadVerifyingKey(file: string): VerifyingKey {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CannotRun(
      `the public key ${file} cannot be read (${(cause as NodeJS.ErrnoException).code}): name the file that npm run evidence:keygen made, *.pub.pem`,
      { cause },
    )
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw new CannotRun(
      `${file} holds a private key, which is for signing alone: name the file with the public one, *.pub.pem`,
    )
  const publicKey = parsed(() => createPublicKey(pem))
  if (publicKey?.asymmetricKeyType !== 'ed25519')
    throw new CannotRun(
      `${file} holds no Ed25519 public key as PEM: name the file that npm run evidence:keygen made, *.pub.pem`,
    )
  return { publicKey, keyId: keyIdOf(publicKey) }
}

/** SHA-256 of the key as SPKI in DER, as hex. */
export function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

function readKeyFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    // Without its cause, whose message has the path in it.
    throw new CannotRun(
      `DRILL_SIGNING_KEY is neither a PEM nor the path of a file that can be read (${code}): ${REMEDY}, and set it to the private one's path`,
    )
  }
}

function parsed(parse: () => KeyObject): KeyObject | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
