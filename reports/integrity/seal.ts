import { createHash } from 'node:crypto'
import { rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { writeWhole } from '../run-folder.ts'
import { signedEnvelope } from './dsse.ts'
import { entriesOf, onDisk, readBounded, sha256OfFile, shownPath } from './files.ts'
import type { SigningKey } from './keys.ts'
import { LARGEST_BYTES } from './limits.ts'
import { Refusal } from './refusal.ts'
import { EVIDENCE_FILE, statementOf } from './statement.ts'
import { ATTESTATION_FILE, formatSums, SUMS_FILE, type Sums } from './sums.ts'

/**
 * Binds all files of a bundle: `SHA256SUMS` over every one of them and, with a key, a signed statement in
 * `attestation.dsse.json`. To be called when everything else is written. Sealed anew, the old seal goes; without a key, so
 * does the old signature. Folders without a file go too, since no sum would speak of them. Synchronous: an 'exit' handler may call it.
 * @returns the run's digest: SHA-256 of its `SHA256SUMS`, as hex.
 * @throws {CannotRun} for a symbolic link or anything else that is neither file nor folder, and where nothing can be written.
 */
export function sealBundle(directory: string, key?: SigningKey): { digest: string } {
  rmSync(path.join(directory, ATTESTATION_FILE), { force: true })
  const sums = sumsOf(directory)
  const text = formatSums(sums)
  const digest = createHash('sha256').update(text).digest('hex')
  writeWhole(path.join(directory, SUMS_FILE), text)
  if (key) {
    const bytes = readBounded(directory, EVIDENCE_FILE, LARGEST_BYTES.evidence)
    const evidence = evidenceSchema.parse(JSON.parse(bytes.toString('utf8')))
    const evidenceDigest = createHash('sha256').update(bytes).digest('hex')
    const statement = statementOf(evidence, { sums: digest, evidence: evidenceDigest })
    writeWhole(path.join(directory, ATTESTATION_FILE), signedEnvelope(Buffer.from(JSON.stringify(statement)), key))
  }
  return { digest }
}

function sumsOf(directory: string): Sums {
  try {
    return sumsOfReadable(directory)
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
    throw new CannotRun(`${directory} cannot be sealed: ${cause.message}`, { cause })
  }
}

function sumsOfReadable(directory: string): Sums {
  const sums = new Map<string, string>()
  const folders: string[] = []
  for (const { path: entry, type } of entriesOf(directory)) {
    if (type === 'folder') folders.push(entry)
    else if (type !== 'file')
      throw new CannotRun(
        `${shownPath(entry)} in ${directory} is a ${type}, and a bundle holds files alone: put the file itself there`,
      )
    else if (entry !== SUMS_FILE && entry !== ATTESTATION_FILE) sums.set(entry, sha256OfFile(directory, entry))
  }
  const isEmpty = (folder: string) => ![...sums.keys()].some(file => file.startsWith(`${folder}/`))
  for (const folder of folders.reverse().filter(isEmpty)) rmdirSync(onDisk(directory, folder))
  return sums
}
