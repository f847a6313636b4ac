import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
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
 * Makes an Ed25519 key pair in `folder`, which is made where there is none; the private key is for its owner's eyes alone.
 * @throws {CannotRun} where either file exists, for a key that is overwritten is lost; where git would take in the private
 * one; and where nothing can be written.
 */
export function generateKeys(folder: string): NewKeys {
  const [privateKeyFile, publicKeyFile] = [path.join(folder, PRIVATE_KEY_FILE), path.join(folder, PUBLIC_KEY_FILE)]
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new CannotRun(`${folder} is a file, and the keys are two: name a folder for them`)
  if (isForGit(privateKeyFile))
    throw new CannotRun(
      `git would take in ${privateKeyFile}, which is to stay secret: name a folder outside of the checkout, or put ${PRIVATE_KEY_FILE} into its .gitignore`,
    )
  makeFolder(folder)
  const existing = [privateKeyFile, publicKeyFile].find(file => lstatSync(file, { throwIfNoEntry: false }))
  if (existing !== undefined)
    throw new CannotRun(`${existing} is there already, and no key is overwritten: name another folder, or move it away`)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  write(privateKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
  write(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }), 0o644)
  return { privateKeyFile, publicKeyFile, keyId: keyIdOf(publicKey) }
}

/** Whether the file would be in a work tree that does not ignore it; `git check-ignore` exits with 1 then. */
function isForGit(file: string): boolean {
  let folder = path.dirname(path.resolve(file))
  while (!existsSync(folder)) folder = path.dirname(folder)
  const below = path.relative(folder, path.resolve(file))
  return spawnSync('git', ['-C', folder, 'check-ignore', '--quiet', below]).status === 1
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new CannotRun(`${folder} cannot be made (${(cause as NodeJS.ErrnoException).code}): name another folder`, {
      cause,
    })
  }
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
