import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sealBundle } from '../integrity/seal.ts'
import { editEvidence, newKeys, sampleEvidence, writeBundle } from '../integrity/sealed-sample.ts'
import { ATTESTATION_FILE, SUMS_FILE } from '../integrity/sums.ts'
import { writeShardPlan } from './shard.ts'
import { readShardRun } from './shard-run.ts'

const keys = newKeys()
const foreign = newKeys()

/** A shard as its run leaves it, signed. */
let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shard-'))
  writeBundle(folder, sampleEvidence({ id: 'run-1', shard: { index: 1, count: 2 } }))
  writeShardPlan(folder, { paths: [], tags: [], require: [], leftOut: [] })
  writeFileSync(inside('blob.json'), '[["1"],"4.1.12"]')
  sealBundle(folder, keys.signing)
})
afterEach(() => rmSync(folder, { recursive: true }))

const inside = (name: string) => path.join(folder, name)
const rewrite = (name: string) => writeFileSync(inside(name), `${readFileSync(inside(name), 'utf8')} `)

describe('a shard', () => {
  it('is read where it is whole, signed or not, and signed by the key of whoever merges it', () => {
    const whole = { isSealed: true, shard: { index: 1, count: 2 }, blob: { vitest: '4.1.12' } }
    expect(readShardRun(folder)).toMatchObject(whole)
    expect(readShardRun(folder, keys.verifying)).toMatchObject(whole)
    sealBundle(folder)
    expect(readShardRun(folder)).toMatchObject(whole)
  })

  it.each<[string, () => void, string]>([
    ['an altered blob', () => rewrite('blob.json'), 'blob.json was altered'],
    ['altered evidence', () => rewrite('evidence.json'), 'evidence.json was altered'],
    ['an altered plan', () => rewrite('shard.json'), 'shard.json was altered'],
    ["an altered server's log", () => rewrite('drills/P1/server-restored.log'), 'server-restored.log was altered'],
    ['a file less', () => rmSync(inside('junit.xml')), 'junit.xml is missing'],
    ['a blob less', () => rmSync(inside('blob.json')), 'blob.json is missing'],
    ['a file more', () => writeFileSync(inside('drills/P1/more.log'), ''), 'more.log was added'],
    [
      'a link',
      () => symlinkSync('/etc/passwd', inside('drills/P1/link')),
      'the symbolic link drills/P1/link was added',
    ],
    ['altered sums', () => appendFileSync(inside(SUMS_FILE), 'x'), 'SHA256SUMS is cut off'],
    ['a signature, and no sums', () => rmSync(inside(SUMS_FILE)), 'SHA256SUMS is missing'],
  ])('with %s is refused, also where nobody signs', (_, tamper, sentence) => {
    tamper()
    expect(() => readShardRun(folder)).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: expect.stringMatching(new RegExp(`^${folder} is not as its shard left it: .*${sentence}.*: bring it`)),
      }),
    )
  })

  it.each<[string, () => void, string]>([
    ['is not signed', () => sealBundle(folder), 'it is not signed'],
    ['is signed by another key', () => sealBundle(folder, foreign.signing), 'it is signed by another key'],
    [
      'was altered, and has sums that were made anew',
      () => {
        const attestation = readFileSync(inside(ATTESTATION_FILE))
        editEvidence(folder, ({ drills: [first] }) => Object.assign(first ?? {}, { verdict: 'failed' }))
        sealBundle(folder)
        writeFileSync(inside(ATTESTATION_FILE), attestation)
      },
      'SHA256SUMS is not the one that was signed',
    ],
  ])('that %s is refused by a merge that signs', (_, tamper, sentence) => {
    tamper()
    expect(() => readShardRun(folder, keys.verifying)).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: expect.stringMatching(
          new RegExp(`${sentence}.*: run every shard with the DRILL_SIGNING_KEY of the merge`),
        ),
      }),
    )
  })

  it('that has no seal is one that was killed, or is made to look like it: nothing but its name is read', () => {
    for (const name of [SUMS_FILE, ATTESTATION_FILE]) rmSync(inside(name))
    for (const key of [undefined, keys.verifying]) {
      const run = readShardRun(folder, key)
      expect(run.isSealed).toBe(false)
      expect(run).not.toHaveProperty('blob')
    }
  })

  it('whose record is a pipe keeps nobody waiting', () => {
    for (const name of [SUMS_FILE, ATTESTATION_FILE, 'evidence.json']) rmSync(inside(name))
    spawnSync('mkfifo', [inside('evidence.json')])
    expect(() => readShardRun(folder)).toThrow(/cannot be read/)
  })
})
