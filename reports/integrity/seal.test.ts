import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, Verifier } from '@sigstore/verify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { sampleRecord } from '../sample.ts'
import { sealBundle } from './seal.ts'
import { newKeys, sampleEvidence, writeBundle } from './sealed-sample.ts'

const keys = newKeys()

let bundle: string
beforeEach(() => {
  bundle = mkdtempSync(path.join(tmpdir(), 'bundle-'))
})
afterEach(() => rmSync(bundle, { recursive: true }))

const read = (name: string) => readFileSync(path.join(bundle, name), 'utf8')
const envelope = () => JSON.parse(read('attestation.dsse.json'))
const statement = () => JSON.parse(Buffer.from(envelope().payload, 'base64').toString('utf8'))
const sha256 = (name: string) =>
  createHash('sha256')
    .update(readFileSync(path.join(bundle, name)))
    .digest('hex')

function seal(evidence: Evidence = sampleEvidence({ previous: null })) {
  writeBundle(bundle, evidence)
  return sealBundle(bundle, keys.signing)
}

/** By the verifier of sigstore's npm client, which knows nothing of this suite. */
function verifyBySigstore(publicKey = keys.verifying.publicKey) {
  const entity = toSignedEntity(
    bundleFromJSON({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      dsseEnvelope: envelope(),
      verificationMaterial: { publicKey: { hint: envelope().signatures[0].keyid }, tlogEntries: [] },
    }),
  )
  const trust = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  }
  new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(entity)
}

describe('SHA256SUMS', () => {
  it('is what sha256sum checks, whatever the names', () => {
    seal()
    const { status, stdout } = spawnSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
      cwd: bundle,
      encoding: 'utf8',
    })
    expect(status).toBe(0)
    expect(stdout.match(/OK$/gm)).toHaveLength(5)
  })

  it('is what sha256sum writes for the same files', () => {
    seal()
    const names = read('SHA256SUMS').split('\n').filter(Boolean)
    const files = [
      'drills/P1/server-restored.log',
      'drills/P1/über \\ alles\n.txt',
      'evidence.json',
      'junit.xml',
      'metrics.prom',
    ]
    const { stdout } = spawnSync('sha256sum', files, { cwd: bundle, encoding: 'utf8' })
    expect(names).toEqual(stdout.split('\n').filter(Boolean))
  })

  it('holds files with names that are not UTF-8, each once', () => {
    writeBundle(bundle, sampleEvidence({ previous: null }))
    for (const byte of [0xfe, 0xff])
      writeFileSync(Buffer.concat([Buffer.from(`${bundle}/`), Buffer.from([0x61, byte])]), String(byte))
    sealBundle(bundle)
    expect(spawnSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: bundle }).status).toBe(0)
    expect(read('SHA256SUMS').match(/ {2}a./gu)).toHaveLength(2)
  })

  it('has a hash that is the digest of the run, the same for the same files', () => {
    const { digest } = seal()
    expect(digest).toBe(sha256('SHA256SUMS'))
    expect(sealBundle(bundle, newKeys().signing).digest).toBe(digest)
  })

  it('binds what names the run before', () => {
    const { digest } = seal()
    expect(seal(sampleEvidence({ previous: { runId: 'another', digest } })).digest).not.toBe(digest)
  })
})

describe('sealBundle', () => {
  it('leaves nothing but the seal, and no folder without a file', () => {
    mkdirSync(path.join(bundle, 'drills/P7/nothing'), { recursive: true })
    seal()
    expect(readdirSync(bundle).sort()).toEqual(
      ['SHA256SUMS', 'attestation.dsse.json', 'drills', 'evidence.json', 'junit.xml', 'metrics.prom'].sort(),
    )
    expect(readdirSync(path.join(bundle, 'drills'))).toEqual(['P1'])
  })

  it('takes an old signature away when there is no key to sign anew', () => {
    seal()
    sealBundle(bundle)
    expect(existsSync(path.join(bundle, 'attestation.dsse.json'))).toBe(false)
  })

  it('refuses a symbolic link', () => {
    symlinkSync('/etc/hostname', path.join(bundle, 'host'))
    expect(() => seal()).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining('host') }),
    )
    expect(existsSync(path.join(bundle, 'SHA256SUMS'))).toBe(false)
  })

  it('refuses a pipe, and does not wait for who writes to it', () => {
    spawnSync('mkfifo', [path.join(bundle, 'pipe')])
    expect(() => seal()).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining('pipe') }),
    )
  })
})

describe('attestation.dsse.json', () => {
  it('is verified by an implementation that is not ours, and refused by it for another key', () => {
    seal()
    expect(() => verifyBySigstore()).not.toThrow()
    expect(() => verifyBySigstore(newKeys().verifying.publicKey)).toThrow('signature verification failed')
  })

  it('is verified by openssl and sha256sum, with no code of ours', () => {
    seal()
    const key = path.join(bundle, '..', `${path.basename(bundle)}.pub.pem`)
    const byHand = () =>
      spawnSync('sh', [path.join(import.meta.dirname, 'verify-by-hand.sh'), bundle, key], { encoding: 'utf8' })
    try {
      writeFileSync(key, keys.publicPem)
      expect(byHand()).toMatchObject({ status: 0, stdout: expect.stringContaining('Signature Verified Successfully') })
      writeFileSync(path.join(bundle, 'metrics.prom'), '# EOF')
      expect(byHand()).toMatchObject({ status: 1, stdout: expect.stringContaining('metrics.prom: FAILED') })
      writeFileSync(key, newKeys().publicPem)
      expect(byHand()).toMatchObject({ status: 1, stdout: expect.stringContaining('Signature Verification Failure') })
    } finally {
      rmSync(key)
    }
  })

  it('is an in-toto test result about the sums and the evidence', () => {
    seal(
      sampleEvidence({
        previous: null,
        startedBy: { name: 'ci', source: 'GitHub Actions', url: 'https://ci.example/1' },
      }),
    )
    expect(envelope()).toMatchObject({
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ keyid: keys.signing.keyId }],
    })
    expect(statement()).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [
        { name: 'SHA256SUMS', digest: { sha256: sha256('SHA256SUMS') } },
        {
          name: 'evidence.json',
          digest: { sha256: sha256('evidence.json') },
          annotations: { runId: '20251123T010203-1', verdict: 'passed', notExercised: ['P2'] },
        },
      ],
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      predicate: {
        result: 'PASSED',
        configuration: [{ name: 'drills/runbook.md', digest: { sha256: '0'.repeat(64) } }],
        url: 'https://ci.example/1',
        passedTests: ['P1'],
        warnedTests: [],
        failedTests: [],
      },
    })
  })

  it('names what the drills ran on by its digests', () => {
    const evidence = sampleEvidence({ previous: null })
    const hash = 'a'.repeat(64)
    seal({
      ...evidence,
      suite: { ...evidence.suite, commit: 'b'.repeat(40) },
      runtime: {
        ...evidence.runtime,
        image: 'postgres:18',
        imageDigest: `sha256:${hash}`,
        programs: [{ name: 'postgres', sha256: hash }],
      },
    })
    expect(statement().predicate.configuration).toEqual([
      { name: 'drills/runbook.md', digest: { sha256: '0'.repeat(64) } },
      { name: 'pg-recovery-drills', digest: { gitCommit: 'b'.repeat(40) } },
      { name: 'postgres:18', digest: { sha256: hash } },
      { name: 'postgres', digest: { sha256: hash } },
    ])
  })

  const failed = [sampleRecord({ state: 'failed', errors: [{ name: 'Failure', kind: 'rows-missing', message: 'x' }] })]
  it.each<[string, Evidence, string[]]>([
    ['that failed', sampleEvidence({ previous: null }, failed), ['P1']],
    [
      'with a drill that proved nothing',
      sampleEvidence({ previous: null }, [sampleRecord({ state: 'pending' })]),
      ['P1'],
    ],
    ['that was interrupted', sampleEvidence({ previous: null, state: 'interrupted' }), []],
    ['that has not ended', sampleEvidence({ state: 'running' }), []],
    ['that is unknown', sampleEvidence({ previous: null, verdict: 'unknown' }), []],
    [
      'that says it passed, with a drill that failed',
      sampleEvidence({ previous: null, verdict: 'passed' }, failed),
      ['P1'],
    ],
    ['with sabotages', sampleEvidence({ kind: 'sabotage' }), []],
  ])('never says PASSED of a run %s', (_, evidence, failedTests) => {
    seal(evidence)
    expect(statement().predicate).toMatchObject({ result: 'FAILED', failedTests })
  })
})
