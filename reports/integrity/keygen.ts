import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { lstatSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../../helpers/failure.ts'
import { keyIdOf } from './keys.ts'

const PRIVATE_KEY_FILE = 'drill-signing-key.pem'
const PUBLIC_KEY_FILE = 'drill-signing-key.pub.pem'

/** A new pair of keys: where it is, and the id of the public one. */
interface NewKeys {
  privateKeyFile: string
  publicKeyFile: string
  keyId: string
}

/**
 * Makes an Ed25519 key pair in `folder`; the private key is for its owner's eyes alone.
 * @throws {CannotRun} where either file exists, for a key that is overwritten is lost; where git would take in the private
 * one; and where nothing can be written.
 */
export function generateKeys(folder: string): NewKeys {
  const [privateKeyFile, publicKeyFile] = [path.join(folder, PRIVATE_KEY_FILE), path.join(folder, PUBLIC_KEY_FILE)]
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CannotRun(`${folder} is not a folder: make it, or name another for the keys`)
  const existing = [privateKeyFile, publicKeyFile].find(file => lstatSync(file, { throwIfNoEntry: false }))
  if (existing !== undefined)
    throw new CannotRun(`${existing} is there already, and no key is overwritten: name another folder, or move it away`)
  if (isForGit(folder))
    throw new CannotRun(
      `git would take in ${privateKeyFile}, which is to stay secret: name a folder outside of the checkout, or put ${PRIVATE_KEY_FILE} into its .gitignore`,
    )
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  write(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
  write(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }), 0o644)
  return { privateKeyFile, publicKeyFile, keyId: keyIdOf(publicKey) }
}

/** Whether the folder is in a work tree that does not ignore the private key; `git check-ignore` exits with 1 then. */
function isForGit(folder: string): boolean {
  return spawnSync('git', ['-C', folder, 'check-ignore', '--quiet', PRIVATE_KEY_FILE]).status === 1
}

function write(file: string, content: string | Buffer, mode: number): void {
  try {
    writeFileSync(file, content, { mode, flag: 'wx' })
  } catch (cause) {
    throw new CannotRun(`${file} cannot be written (${(cause as NodeJS.ErrnoException).code}): name another folder`, {
      cause,
    })
  }
}
