import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { sampleRecord } from '../sample.ts'
import { signedEnvelope } from './dsse.ts'
import { sealBundle } from './seal.ts'
import {
  editEvidence,
  newKeys,
  type SampleRun,
  sampleEvidence,
  writeBundle,
  writeChain,
  writeRun,
} from './sealed-sample.ts'
import { verifyChain } from './verify-chain.ts'

const keys = newKeys()
const foreign = newKeys()

/** Sealed once; each test works on a copy. */
let original: string
let out: string
let first: SampleRun
let second: SampleRun
let newest: SampleRun

beforeAll(() => {
  original = mkdtempSync(path.join(tmpdir(), 'sealed-'))
  writeChain(original, keys.signing)
})
afterAll(() => rmSync(original, { recursive: true }))

beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'out-'))
  cpSync(original, out, { recursive: true })
  const runs = ['20251121T010203-1', '20251122T010203-2', '20251123T010203-3'].map(id => {
    const folder = path.join(out, id)
    return { id, folder, digest: digestOf(folder) }
  })
  ;[first, second, newest] = runs as [SampleRun, SampleRun, SampleRun]
})
afterEach(() => rmSync(out, { recursive: true }))

const digestOf = (folder: string) => statementOf(folder).subject[0].digest.sha256 as string
const inside = (name: string, run = newest) => path.join(run.folder, name)
const read = (name: string, run = newest) => readFileSync(inside(name, run), 'utf8')
const write = (name: string, content: string | Buffer, run = newest) => writeFileSync(inside(name, run), content)
const verify = (published: string[] = [], run = newest) => verifyChain(run.folder, keys.verifying, published)

// biome-ignore lint/suspicious/noExplicitAny: tests change what no type allows.
type Loose = any

function statementOf(folder: string): Loose {
  const { payload } = JSON.parse(readFileSync(path.join(folder, 'attestation.dsse.json'), 'utf8'))
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
}

function editEnvelope(edit: (envelope: Loose) => void): void {
  const envelope = JSON.parse(read('attestation.dsse.json'))
  edit(envelope)
  write('attestation.dsse.json', `${JSON.stringify(envelope, null, 2)}\n`)
}

/** By whoever has the key: what a mistake of the suite would do, or a signer who lies. */
function signAnew(edit: (statement: Loose) => void, key = keys.signing): void {
  const statement = statementOf(newest.folder)
  edit(statement)
  write('attestation.dsse.json', signedEnvelope(Buffer.from(JSON.stringify(statement)), key))
}

/** Other sums, with a signature over them that is right. */
function signSums(edit: (lines: string[]) => string[]): void {
  const lines = edit(read('SHA256SUMS').trimEnd().split('\n'))
  const folder = mkdtempSync(path.join(tmpdir(), 'sums-'))
  try {
    writeFileSync(path.join(folder, 'x'), `${lines.join('\n')}\n`)
    sealBundle(folder)
    const [hash = ''] = readFileSync(path.join(folder, 'SHA256SUMS'), 'utf8').split(' ')
    write('SHA256SUMS', `${lines.join('\n')}\n`)
    signAnew(({ subject }) => {
      subject[0].digest.sha256 = hash
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function flipBit(name: string, run = newest): void {
  const bytes = readFileSync(inside(name, run))
  bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
  write(name, bytes, run)
}

function reseal(key: typeof keys.signing | undefined, run = newest): string {
  return sealBundle(run.folder, key).digest
}

const zeros = '0'.repeat(64)

describe('an intact chain of runs', () => {
  it('is intact, with what that proves and what it does not', () => {
    expect(verify()).toBe(
      `The run ${newest.id} passed (drills: 1 passed, 1 not exercised; 5 files), says its evidence, which is intact and signed by the key ${keys.verifying.keyId}; so are the runs before it, 3 with it, back to the first of its history; its digest is ${newest.digest}, to be published elsewhere: the newest runs can be removed unseen until then.`,
    )
  })

  it('is intact through the link to the latest run', () => {
    symlinkSync(newest.id, path.join(out, 'latest'), 'dir')
    expect(verifyChain(path.join(out, 'latest'), keys.verifying, [])).toContain('3 with it, back to the first')
  })

  it('is intact in a folder with a name of its own, as of an artifact that was unpacked', () => {
    const unpacked = path.join(out, 'bundle-embedded-18')
    renameSync(newest.folder, unpacked)
    expect(verifyChain(unpacked, keys.verifying, [])).toContain('3 with it, back to the first')
  })

  it('is intact from its first run', () => {
    expect(verify([], first)).toContain('it is the first run of its history')
  })

  it.each<[string, () => SampleRun]>([
    ['the newest', () => newest],
    ['the one in the middle', () => second],
    ['the first', () => first],
  ])('hangs on a published digest: of %s', (_, run) => {
    expect(verify([run().digest])).toContain('to a published digest')
  })

  it('needs no run before a published one', () => {
    rmSync(first.folder, { recursive: true })
    rmSync(second.folder, { recursive: true })
    expect(verify([second.digest])).toContain('to a published digest, and nothing is proven of the runs before that')
    expect(verify([newest.digest])).toContain(`its digest ${newest.digest} is a published one.`)
  })

  it('may be signed by somebody else too', () => {
    editEnvelope(envelope => envelope.signatures.unshift({ keyid: foreign.signing.keyId, sig: 'AAAA' }))
    expect(verify()).toContain('is intact')
  })

  it('may be in the other alphabet of base64, as DSSE demands', () => {
    editEnvelope(({ signatures: [signature] }) => {
      signature.sig = `${Buffer.from(signature.sig, 'base64').toString('base64url')}==`
    })
    expect(verify()).toContain('is intact')
  })
})

describe('an intact run that did not pass', () => {
  it.each<[string, Parameters<typeof sampleEvidence>, string]>([
    [
      'failed',
      [
        { previous: null },
        [sampleRecord({ state: 'failed', errors: [{ name: 'Failure', kind: 'lost', message: 'x' }] })],
      ],
      'FAILED (drills: 1 failed; 5 files)',
    ],
    ['is unknown', [{ previous: null }, [sampleRecord({ state: 'pending' })]], 'proved nothing (unknown)'],
    ['was interrupted', [{ state: 'interrupted', verdict: 'unknown' }], 'was interrupted and proved nothing (unknown)'],
  ])('is said to be one: it %s', (_, evidence, said) => {
    const [run, records] = evidence
    writeBundle(newest.folder, sampleEvidence({ ...run, id: newest.id }, records))
    reseal(keys.signing)
    expect(verify()).toContain(said)
    expect(verify()).not.toMatch(/\bok\b|\d that passed| passed \(/i)
  })

  it('proves nothing of the runs before it when it was cut off', () => {
    writeBundle(newest.folder, sampleEvidence({ id: newest.id, state: 'interrupted', verdict: 'unknown' }))
    reseal(keys.signing)
    expect(verify()).toContain('names no run before it, of which nothing is proven')
    expect(() => verify([first.digest])).toThrow(`without the published ${first.digest}`)
  })
})

describe('tampering is refused', () => {
  // Each with what is done to the newest run or to the chain, and what the one sentence has to say of it.
  test.each<[string, () => void, string | (() => string), (() => string[])?]>([
    [
      'a byte of a file altered',
      () => flipBit('drills/P1/server-restored.log'),
      'drills/P1/server-restored.log was altered',
    ],
    ['a byte of the evidence altered', () => flipBit('evidence.json'), 'evidence.json was altered'],
    [
      'a file with a name to be escaped altered',
      () => write('drills/P1/über \\ alles\n.txt', ''),
      'alles\\n.txt" was altered',
    ],
    [
      'the verdict altered and the sums made anew',
      () => {
        const attestation = read('attestation.dsse.json')
        editEvidence(newest.folder, ({ run }) => Object.assign(run, { verdict: 'failed' }))
        reseal(undefined)
        write('attestation.dsse.json', attestation)
      },
      'SHA256SUMS is not the one that was signed',
    ],
    ['sealed anew without a key', () => reseal(undefined), 'it is not signed: there is no file attestation.dsse.json'],
    [
      'altered and signed anew by another key',
      () => {
        editEvidence(newest.folder, ({ run }) => Object.assign(run, { startedBy: { name: 'Eve', source: 'git' } }))
        reseal(foreign.signing)
      },
      () => `it is signed by another key, ${foreign.signing.keyId}, and not by ${keys.verifying.keyId}`,
    ],
    [
      'signed anew by another key under the id of ours',
      () => reseal({ ...foreign.signing, keyId: keys.signing.keyId }),
      'is not one of the key',
    ],
    [
      'signed anew by another key, whose public one is put in the bundle and sealed with it',
      () => {
        write('drill-signing-key.pub.pem', foreign.publicPem)
        reseal(foreign.signing)
      },
      'it is signed by another key',
    ],
    [
      'the public key of the envelope named in it',
      () => editEnvelope(envelope => Object.assign(envelope, { publicKey: foreign.publicPem })),
      'attestation.dsse.json is not a whole DSSE envelope',
    ],
    ['the envelope removed', () => rmSync(inside('attestation.dsse.json')), 'it is not signed'],
    ['the envelope emptied', () => write('attestation.dsse.json', ''), 'is not a whole DSSE envelope'],
    [
      'the envelope cut off',
      () => truncateSync(inside('attestation.dsse.json'), 300),
      'is not a whole DSSE envelope: it was cut off or altered',
    ],
    [
      'the last byte of the envelope cut off',
      () => write('attestation.dsse.json', read('attestation.dsse.json').trimEnd()),
      'attestation.dsse.json is not written as this suite writes it',
    ],
    [
      'a second payload before the one that is signed',
      () => write('attestation.dsse.json', read('attestation.dsse.json').replace('{', '{\n  "payload": "e30=",')),
      'attestation.dsse.json is not written as this suite writes it',
    ],
    [
      'the signature removed',
      () => editEnvelope(envelope => Object.assign(envelope, { signatures: [] })),
      'has no signature',
    ],
    [
      'the signature emptied',
      () => editEnvelope(({ signatures: [one] }) => Object.assign(one, { sig: '' })),
      'is not one of the key',
    ],
    [
      'the signature cut short',
      () => editEnvelope(({ signatures: [one] }) => Object.assign(one, { sig: one.sig.slice(0, 40) })),
      'is not one of the key',
    ],
    [
      'a bit of the signature flipped',
      () =>
        editEnvelope(({ signatures: [one] }) => {
          const bytes = Buffer.from(one.sig, 'base64')
          bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7)
          one.sig = bytes.toString('base64')
        }),
      'is not one of the key',
    ],
    [
      'the envelope of another run of ours',
      () => write('attestation.dsse.json', read('attestation.dsse.json', second)),
      'SHA256SUMS is not the one that was signed',
    ],
    [
      'the payload type changed',
      () => editEnvelope(envelope => Object.assign(envelope, { payloadType: 'application/vnd.in-toto.x+json' })),
      'the payload type of attestation.dsse.json is application/vnd.in-toto.x+json, not application/vnd.in-toto+json',
    ],
    [
      'a payload in another spelling of the same bytes',
      () =>
        editEnvelope(envelope =>
          Object.assign(envelope, { payload: `${envelope.payload.slice(0, 76)}\n${envelope.payload.slice(76)}` }),
        ),
      'the payload in attestation.dsse.json is not base64',
    ],
    [
      'another statement under the same signature',
      () =>
        editEnvelope(envelope => {
          const body = Buffer.from(envelope.payload, 'base64').toString('utf8').replace('PASSED', 'FAILED')
          envelope.payload = Buffer.from(body).toString('base64')
        }),
      'is not one of the key',
    ],
    ['a file added', () => write('drills/P1/extra.log', ''), 'the file drills/P1/extra.log was added'],
    ['a hidden file added', () => write('.hidden', ''), 'the file .hidden was added'],
    ['an empty folder added', () => mkdirSync(inside('drills/P9')), 'the folder drills/P9 was added'],
    ['a symbolic link added', () => symlinkSync('evidence.json', inside('link')), 'the symbolic link link was added'],
    ['a file removed', () => rmSync(inside('metrics.prom')), 'metrics.prom is missing: SHA256SUMS lists it'],
    ['the evidence removed', () => rmSync(inside('evidence.json')), 'evidence.json is missing'],
    ['the sums removed', () => rmSync(inside('SHA256SUMS')), 'SHA256SUMS is missing'],
    ['a file renamed', () => renameSync(inside('junit.xml'), inside('junit2.xml')), 'the file junit2.xml was added'],
    [
      'two files exchanged',
      () => {
        renameSync(inside('junit.xml'), inside('x'))
        renameSync(inside('metrics.prom'), inside('junit.xml'))
        renameSync(inside('x'), inside('metrics.prom'))
      },
      'junit.xml was altered',
    ],
    [
      'a file replaced by a link to the same content',
      () => {
        renameSync(inside('junit.xml'), path.join(out, 'junit.xml'))
        symlinkSync('../junit.xml', inside('junit.xml'))
      },
      'junit.xml was a file, and is a symbolic link now',
    ],
    [
      'the evidence replaced by a folder',
      () => {
        rmSync(inside('evidence.json'))
        mkdirSync(inside('evidence.json'))
      },
      'evidence.json was a file, and is a folder now',
    ],
    [
      'the sums replaced by a link to the same sums',
      () => {
        renameSync(inside('SHA256SUMS'), path.join(out, 'SHA256SUMS'))
        symlinkSync('../SHA256SUMS', inside('SHA256SUMS'))
      },
      'SHA256SUMS is a symbolic link',
    ],
    [
      'the sums replaced by a pipe that nobody writes to',
      () => {
        rmSync(inside('SHA256SUMS'))
        spawnSync('mkfifo', [inside('SHA256SUMS')])
      },
      'SHA256SUMS is no regular file',
    ],
    [
      'the envelope replaced by a link to the same envelope',
      () => {
        renameSync(inside('attestation.dsse.json'), path.join(out, 'envelope'))
        symlinkSync('../envelope', inside('attestation.dsse.json'))
      },
      'there is no file attestation.dsse.json',
    ],
    ['the sums cut off', () => truncateSync(inside('SHA256SUMS'), 100), 'SHA256SUMS is not the one that was signed'],
    [
      'the sums in another order',
      () => write('SHA256SUMS', `${read('SHA256SUMS').trimEnd().split('\n').reverse().join('\n')}\n`),
      'SHA256SUMS is not the one that was signed',
    ],
    [
      'the evidence cut in the middle and sealed anew by our key',
      () => {
        const { payload } = JSON.parse(read('attestation.dsse.json'))
        truncateSync(inside('evidence.json'), 700)
        reseal(undefined)
        const statement = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'))
        const [sums, evidence] = statement.subject
        const entry = read('SHA256SUMS')
          .split('\n')
          .find(line => line.endsWith('evidence.json'))
        evidence.digest.sha256 = entry?.slice(0, 64)
        sums.digest.sha256 = reseal(undefined)
        write('attestation.dsse.json', signedEnvelope(Buffer.from(JSON.stringify(statement)), keys.signing))
      },
      'evidence.json is not what its schema says',
    ],
    [
      'the whole run covered by the one before it',
      () => {
        rmSync(newest.folder, { recursive: true })
        cpSync(second.folder, newest.folder, { recursive: true })
      },
      () => `is no intact evidence: it is named as the run ${newest.id}, and holds the run ${second.id}`,
    ],
    [
      'the whole run covered by a link to the one before it',
      () => {
        rmSync(newest.folder, { recursive: true })
        symlinkSync(second.id, newest.folder)
      },
      () => `is no intact evidence: it is named as the run ${newest.id}, and holds the run ${second.id}`,
    ],
    [
      'the run before it removed',
      () => rmSync(second.folder, { recursive: true }),
      () => `the run ${second.id}, which came before ${newest.id}, is missing`,
    ],
    [
      'the first run removed',
      () => rmSync(first.folder, { recursive: true }),
      () => `the run ${first.id}, which came before ${second.id}, is missing`,
    ],
    [
      'the run before it altered',
      () => flipBit('junit.xml', second),
      () => `the run ${second.id}, which came before ${newest.id}, is no intact evidence: junit.xml was altered`,
    ],
    [
      'the run before it emptied',
      () => {
        rmSync(second.folder, { recursive: true })
        mkdirSync(second.folder)
      },
      'is no intact evidence: it is not signed',
    ],
    [
      'the run before it replaced by one that another key signed',
      () => {
        editEvidence(second.folder, ({ run }) => Object.assign(run, { startedBy: { name: 'Eve', source: 'git' } }))
        reseal(foreign.signing, second)
      },
      () => `the run ${second.id}, which came before ${newest.id}, is no intact evidence: it is signed by another key`,
    ],
    [
      'the run before it replaced by another that our key signed',
      () => {
        rmSync(second.folder, { recursive: true })
        renameSync(first.folder, second.folder)
      },
      () => `has the run ${first.id} in its place`,
    ],
    [
      'the run before it sealed anew by our key after a change',
      () => {
        write('junit.xml', '<testsuites/>', second)
        reseal(keys.signing, second)
      },
      'has another in its place, whose digest is',
    ],
    [
      'the run before it replaced by a link to it',
      () => {
        renameSync(second.folder, path.join(out, 'elsewhere'))
        symlinkSync('elsewhere', second.folder)
      },
      () => `the run ${second.id}, which came before ${newest.id}, is no folder in`,
    ],
    [
      'a chain that begins anew in the middle, while an earlier run was published',
      () => {
        const again = writeRun(out, second.id, null, keys.signing)
        writeRun(out, newest.id, again, keys.signing)
      },
      () => `the chain ends at the run ${second.id} without the published ${first.digest}`,
      () => [first.digest],
    ],
    [
      'the newest run removed, while its digest was published',
      () => {
        rmSync(newest.folder, { recursive: true })
        renameSync(second.folder, newest.folder)
        rmSync(newest.folder, { recursive: true })
        cpSync(path.join(original, second.id), second.folder, { recursive: true })
        newest = second
      },
      'without the published',
      () => [digestOf(path.join(original, '20251123T010203-3'))],
    ],
    [
      'a run of the middle taken out, and the chain joined by another key',
      () => {
        rmSync(second.folder, { recursive: true })
        writeRun(out, newest.id, first, foreign.signing)
      },
      'it is signed by another key',
    ],
  ])('%s', (_, tamper, sentence, published) => {
    expect(verify()).toContain('is intact')
    const digests = published?.() ?? []
    const expected = typeof sentence === 'string' ? () => sentence : sentence
    tamper()
    const said = refusalOf(() => verify(digests))
    expect(said).toContain(expected())
    expect(said).not.toMatch(/\bok\b|is intact|\n/i)
  })
})

describe('what our own key signed by mistake is refused too', () => {
  test.each<[string, () => void, string]>([
    [
      'another result than the evidence has',
      () => editEvidenceSigned(({ run }) => Object.assign(run, { verdict: 'failed' })),
      'says PASSED (passed), which is not what evidence.json says',
    ],
    [
      'a drill that the evidence does not have',
      () => signAnew(({ predicate }) => predicate.passedTests.push('P3')),
      'which is not what evidence.json says',
    ],
    [
      'another run',
      () => signAnew(({ subject }) => Object.assign(subject[1].annotations, { runId: second.id })),
      'attestation.dsse.json is about the run 20251122T010203-2, and evidence.json is of 20251123T010203-3',
    ],
    [
      'other evidence than the sums have',
      () => signAnew(({ subject }) => Object.assign(subject[1].digest, { sha256: zeros })),
      'evidence.json is not the one that was signed',
    ],
    ['a statement about one file', () => signAnew(({ subject }) => subject.pop()), 'is not an in-toto test result'],
    [
      'a statement of another type',
      () => signAnew(statement => Object.assign(statement, { predicateType: 'https://slsa.dev/provenance/v1' })),
      'is not an in-toto test result',
    ],
    [
      'sums with a line cut off',
      () => signSums(([one = '', ...lines]) => [...lines, one.slice(0, 30)]),
      'line 5 of SHA256SUMS is not a SHA-256 and a name',
    ],
    ['sums in another order', () => signSums(lines => lines.toReversed()), 'line 2 of SHA256SUMS is out of order'],
    [
      'sums with a file twice',
      () => signSums(([one = '', ...lines]) => [one, one, ...lines]),
      'line 2 of SHA256SUMS names drills/P1/server-restored.log a second time',
    ],
    ['sums with a file less', () => signSums(([, ...lines]) => lines), 'drills/P1/server-restored.log was added'],
    [
      'sums with a file of the run before',
      () => signSums(lines => [`${zeros}  ../${second.id}/junit.xml`, ...lines]),
      'line 1 of SHA256SUMS names ../20251122T010203-2/junit.xml, which is no path within a bundle',
    ],
    [
      'sums with a file of the machine',
      () => signSums(lines => [`${zeros}  /etc/passwd`, ...lines]),
      'line 1 of SHA256SUMS names /etc/passwd, which is no path within a bundle',
    ],
    [
      'sums with the sums',
      () => signSums(lines => [`${zeros}  SHA256SUMS`, ...lines]),
      'names SHA256SUMS, which is never in it',
    ],
    [
      'a run with sabotages',
      () => resealWith(({ run }) => Object.assign(run, { kind: 'sabotage', previous: undefined })),
      'its run was one with sabotages',
    ],
    [
      'a run that has not ended',
      () => resealWith(({ run }) => Object.assign(run, { state: 'running' })),
      'its run has not ended',
    ],
    [
      'a run without an end',
      () => resealWith(({ run }) => Object.assign(run, { endedAt: undefined })),
      'its run has not ended',
    ],
    [
      'a finished run that is in no chain',
      () => resealWith(({ run }) => Object.assign(run, { previous: undefined })),
      'does not say which run came before it',
    ],
    [
      'a run before it that is a path',
      () =>
        resealWith(({ run }) =>
          Object.assign(run, { previous: { runId: `../${path.basename(out)}/${second.id}`, digest: second.digest } }),
        ),
      'has a name that no run has',
    ],
    [
      'a run before it that is itself',
      () => resealWith(({ run }) => Object.assign(run, { previous: { runId: run.id, digest: zeros } })),
      'the chain of runs comes back from 20251123T010203-3 to 20251123T010203-3',
    ],
    [
      'a run before it that was cut off and is in no chain',
      () => {
        writeBundle(second.folder, sampleEvidence({ id: second.id, state: 'interrupted', verdict: 'unknown' }))
        const digest = reseal(keys.signing, second)
        resealWith(({ run }) => Object.assign(run, { previous: { runId: second.id, digest } }))
      },
      'was cut off and does not say which run came before it',
    ],
  ])('%s', (_, tamper, sentence) => {
    tamper()
    expect(refusalOf(() => verify())).toContain(sentence)
  })

  function resealWith(edit: Parameters<typeof editEvidence>[1]): void {
    editEvidence(newest.folder, edit)
    reseal(keys.signing)
  }

  /** The statement stays as it was, its digests aside. */
  function editEvidenceSigned(edit: Parameters<typeof editEvidence>[1]): void {
    const { predicate, subject: before } = statementOf(newest.folder)
    resealWith(edit)
    signAnew(statement => {
      statement.predicate = predicate
      statement.subject[1].annotations = before[1].annotations
    })
  }
})

describe('no change is small enough', () => {
  const files = ['SHA256SUMS', 'attestation.dsse.json', 'evidence.json', 'junit.xml', 'drills/P1/server-restored.log']
  const places = fc.record({ file: fc.constantFrom(...files), run: fc.nat(2), at: fc.nat({ max: 100_000 }) })

  function spoil(file: string, run: number, change: (bytes: Buffer) => Buffer): void {
    const where = inside(file, [first, second, newest][run])
    const bytes = readFileSync(where)
    writeFileSync(where, change(Buffer.from(bytes)))
    try {
      refusalOf(() => verify())
    } finally {
      writeFileSync(where, bytes)
    }
  }

  it('in any bit of any file of any run of the chain', () => {
    fc.assert(
      fc.property(places, fc.nat(7), ({ file, run, at }, bit) =>
        spoil(file, run, bytes => {
          const index = at % bytes.length
          bytes.writeUInt8(bytes.readUInt8(index) ^ (1 << bit), index)
          return bytes
        }),
      ),
      { numRuns: 100 },
    )
  })

  it('at any end of any file of any run of the chain', () => {
    fc.assert(
      fc.property(places, ({ file, run, at }) => spoil(file, run, bytes => bytes.subarray(0, at % bytes.length))),
      { numRuns: 50 },
    )
    for (const file of files) {
      spoil(file, 0, bytes => bytes.subarray(0, -1))
      spoil(file, 0, bytes => Buffer.concat([bytes, Buffer.from('\n')]))
    }
  })
})

describe('sizes', () => {
  it('are bounded where a file is read as a whole', () => {
    truncateSync(inside('attestation.dsse.json'), 2 ** 24 + 1)
    expect(refusalOf(() => verify())).toContain('attestation.dsse.json is larger than 16777216 bytes')
  })
})

function refusalOf(body: () => unknown): string {
  try {
    body()
  } catch (error) {
    expect(error).toMatchObject({ name: 'Refusal' })
    return (error as Error).message
  }
  throw new Error('it was not refused')
}
