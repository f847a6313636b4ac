// What the tests of integrity start from: three runs of a history, one after the other, sealed and signed.
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { junitOf } from '../junit.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { keyIdOf, type SigningKey, type VerifyingKey } from './keys.ts'
import { sealBundle } from './seal.ts'

export function newKeys(): { signing: SigningKey; verifying: VerifyingKey; publicPem: string; privatePem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const keyId = keyIdOf(publicKey)
  return {
    signing: { privateKey, keyId },
    verifying: { publicKey, keyId },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** The evidence of a run that passed P1 and exercised no P2, with what a test changes in it. */
export function sampleEvidence(run: Partial<Evidence['run']> = {}, records: DrillRecord[] = someRecords()): Evidence {
  const facts = { ...sampleFacts, ...(run.id !== undefined && { id: run.id }) }
  const evidence = buildEvidence(facts, records, { state: 'finished', endedAt: facts.startedAt, problems: [] })
  return { ...evidence, run: { ...evidence.run, ...run } }
}

function someRecords(): DrillRecord[] {
  const journal = sampleJournal({ id: 'P2', proofs: [] })
  return [
    sampleRecord(),
    sampleRecord({ id: 'P2', title: 'a full archive', state: 'skipped', note: 'no Docker', journal }),
  ]
}

/** Writes a bundle of several files, not sealed yet, one of them with a name that a checksum file has to escape. */
export function writeBundle(directory: string, evidence: Evidence): void {
  const files: Record<string, string> = {
    'evidence.json': `${JSON.stringify(evidence, null, 2)}\n`,
    'junit.xml': junitOf(evidence),
    'metrics.prom': '',
    'drills/P1/server-restored.log': 'LOG:  recovery stopping before WAL location (LSN) "0/3000060"\n',
    'drills/P1/über \\ alles\n.txt': 'a name with all that a name may have',
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true })
    writeFileSync(path.join(directory, name), text)
  }
}

export interface SampleRun {
  id: string
  folder: string
  digest: string
}

/** Three runs in `out`, oldest first, each of which names the one before it. */
export function writeChain(out: string, key: SigningKey): [SampleRun, SampleRun, SampleRun] {
  const first = writeRun(out, '20251121T010203-1', null, key)
  const second = writeRun(out, '20251122T010203-2', first, key)
  return [first, second, writeRun(out, '20251123T010203-3', second, key)]
}

export function writeRun(out: string, id: string, before: SampleRun | null, key: SigningKey): SampleRun {
  const folder = path.join(out, id)
  const previous = before && { runId: before.id, digest: before.digest }
  writeBundle(folder, sampleEvidence({ id, previous }))
  return { id, folder, ...sealBundle(folder, key) }
}

/** Changes the evidence of a bundle that is there, whose seal it breaks. */
export function editEvidence(folder: string, edit: (evidence: Evidence) => void): void {
  const file = path.join(folder, 'evidence.json')
  const evidence = evidenceSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  edit(evidence)
  writeFileSync(file, `${JSON.stringify(evidence, null, 2)}\n`)
}
