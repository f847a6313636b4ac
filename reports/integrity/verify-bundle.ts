import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { openEnvelope } from './dsse.ts'
import { type BundlePath, entriesOf, readBounded, sha256OfFile, shownPath } from './files.ts'
import type { VerifyingKey } from './keys.ts'
import { LARGEST_BYTES } from './limits.ts'
import { quoted, Refusal } from './refusal.ts'
import { EVIDENCE_FILE, parseStatement, type Statement, statementOf } from './statement.ts'
import { ATTESTATION_FILE, parseSums, SUMS_FILE, type Sums } from './sums.ts'

/** A bundle that nobody has altered since it was sealed. The runs before it are another matter. */
export interface IntactBundle {
  evidence: Evidence
  /** SHA-256 of its `SHA256SUMS`, as hex. */
  digest: string
  /** How many files are sealed. */
  files: number
}

/**
 * Trusts `key` alone, and reads nothing outside of `directory`. From the signature to the sums, and from these to the files.
 * @throws {Refusal} unless the bundle is whole, unaltered, signed by `key`, and evidence of a run that has ended.
 */
export function verifyBundle(directory: string, key: VerifyingKey): IntactBundle {
  const statement = verifySignature(directory, key)
  const bundle = verifySums(directory)
  refuseNoEvidence(bundle.evidence)
  compareStatement(statement, bundle.evidence)
  return bundle
}

/**
 * The seal of a part of a run, which is evidence of nothing by itself.
 * @throws {Refusal} unless it is signed by `key`.
 */
export function verifySignature(directory: string, key: VerifyingKey): Statement {
  const statement = parseStatement(openEnvelope(readAttestation(directory), key))
  const [signedSums, signedEvidence] = statement.subject
  const bytes = readBounded(directory, SUMS_FILE, LARGEST_BYTES.sums)
  if (sha256(bytes) !== signedSums.digest.sha256) throw new Refusal(`${SUMS_FILE} is not the one that was signed`)
  // One that the sums do not list is refused with the files.
  const listed = parseSums(bytes).get(EVIDENCE_FILE)
  if (listed !== undefined && listed !== signedEvidence.digest.sha256)
    throw new Refusal(`${EVIDENCE_FILE} is not the one that was signed`)
  return statement
}

/**
 * That nothing was altered since `SHA256SUMS` was made, which whoever alters something can make anew: see `verifySignature`.
 * @throws {Refusal} unless what is there is what the sums list.
 */
export function verifySums(directory: string): IntactBundle {
  const bytes = readBounded(directory, SUMS_FILE, LARGEST_BYTES.sums)
  const sums = parseSums(bytes)
  compareFiles(directory, sums)
  const evidence = parseEvidence(readBounded(directory, EVIDENCE_FILE, LARGEST_BYTES.evidence))
  return { evidence, digest: sha256(bytes), files: sums.size }
}

function readAttestation(directory: string): string {
  if (!lstatSync(path.join(directory, ATTESTATION_FILE), { throwIfNoEntry: false })?.isFile())
    throw new Refusal(`it is not signed: there is no file ${ATTESTATION_FILE}`)
  return readBounded(directory, ATTESTATION_FILE, LARGEST_BYTES.attestation).toString('utf8')
}

/** What is there is what is listed, byte for byte, and nothing else. */
function compareFiles(directory: string, sums: Sums): void {
  const folders = foldersOf(sums)
  const seen = new Set<BundlePath>()
  for (const { path, type } of entriesOf(directory)) {
    const isListed = sums.has(path) || path === SUMS_FILE || path === ATTESTATION_FILE
    if (type === 'folder' ? folders.has(path) : type === 'file' && isListed) seen.add(path)
    else if (isListed) throw new Refusal(`${shownPath(path)} was a file, and is a ${type} now`)
    else throw new Refusal(`the ${type} ${shownPath(path)} was added: ${SUMS_FILE} does not list it`)
  }
  for (const [path, hash] of sums) {
    if (!seen.has(path)) throw new Refusal(`${shownPath(path)} is missing: ${SUMS_FILE} lists it`)
    if (sha256OfFile(directory, path) !== hash)
      throw new Refusal(`${shownPath(path)} was altered: it is not what ${SUMS_FILE} has the hash of`)
  }
}

/** Every folder that a listed file is in. */
function foldersOf(sums: Sums): Set<BundlePath> {
  const folders = [...sums.keys()].flatMap(file => {
    const parts = file.split('/').slice(0, -1)
    return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  })
  return new Set(folders)
}

function parseEvidence(bytes: Buffer): Evidence {
  try {
    return evidenceSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
  } catch (cause) {
    const why =
      cause instanceof z.ZodError
        ? cause.issues
            .map(({ path }) => path.join('.'))
            .slice(0, 3)
            .join(', ')
        : ''
    throw new Refusal(`${EVIDENCE_FILE} is not what its schema says${why && `: see ${quoted(why)}`}`, { cause })
  }
}

function refuseNoEvidence({ run }: Evidence): void {
  if (run.kind === 'sabotage')
    throw new Refusal('its run was one with sabotages, which is evidence of nothing but that drills turn red')
  if (run.state === 'running' || run.endedAt === undefined)
    throw new Refusal('its run has not ended, or was cut off before it could say how')
  if (run.state === 'finished' && run.previous === undefined)
    throw new Refusal('its run finished, and does not say which run came before it, nor that it was the first')
}

/** As far as the evidence decides it: what else stands in a statement is as true as the signature is. */
function compareStatement(statement: Statement, evidence: Evidence): void {
  const [sums, { digest }] = statement.subject
  const expected = statementOf(evidence, { sums: sums.digest.sha256, evidence: digest.sha256 })
  const { runId, verdict } = statement.subject[1].annotations
  if (runId !== evidence.run.id)
    throw new Refusal(
      `${ATTESTATION_FILE} is about the run ${quoted(runId)}, and ${EVIDENCE_FILE} is of ${quoted(evidence.run.id)}`,
    )
  const told = ({ subject, predicate }: Statement) => [
    subject[1].annotations.verdict,
    subject[1].annotations.notExercised,
    predicate.result,
    predicate.passedTests,
    predicate.warnedTests,
    predicate.failedTests,
  ]
  if (!isDeepStrictEqual(told(statement), told(expected)))
    throw new Refusal(
      `${ATTESTATION_FILE} says ${statement.predicate.result} (${quoted(verdict)}), which is not what ${EVIDENCE_FILE} says of the run and its drills`,
    )
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
