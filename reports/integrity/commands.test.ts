// The commands as they are started, each a process of its own.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newKeys, type SampleRun, writeChain } from './sealed-sample.ts'

const keys = newKeys()
let out: string
let key: string
let runs: SampleRun[]

beforeAll(() => {
  out = mkdtempSync(path.join(tmpdir(), 'out-'))
  key = path.join(out, 'key.pub.pem')
  writeFileSync(key, keys.publicPem)
  runs = writeChain(out, keys.signing)
})
afterAll(() => rmSync(out, { recursive: true }))

function start(command: string, ...args: string[]) {
  const script = path.resolve(import.meta.dirname, '../commands', command)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const newest = () => runs[2]?.folder ?? ''

describe('evidence:verify', () => {
  it('exits with 0 and one sentence when all of it holds', () => {
    const { status, stdout, stderr } = start(
      'verify.ts',
      newest(),
      '--key',
      key,
      '--published',
      runs[0]?.digest.toUpperCase() ?? '',
    )
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^The run 20251123T010203-3 passed .*, says its evidence, which is intact .*\.\n$/)
  })

  it('exits with 1 and one sentence when it does not', () => {
    const { status, stdout, stderr } = start('verify.ts', newest(), '--key', key, '--published', '0'.repeat(64))
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^the chain ends at the run .* without the published 0{64}: .*\n$/)
  })

  it.each<[string, () => string[], string]>([
    ['no folder', () => ['--key', key], 'name one folder'],
    ['two folders', () => [newest(), newest(), '--key', key], 'name one folder'],
    ['no key', () => [newest()], 'name the public key'],
    ['a folder that is not there', () => ['/nowhere', '--key', key], '/nowhere is not a folder'],
    ['a folder of runs', () => [out, '--key', key], 'is a folder of runs: name one of them, such as'],
    ['a key that is not there', () => [newest(), '--key', '/nowhere'], 'the public key /nowhere cannot be read'],
    ['a digest that is none', () => [newest(), '--key', key, '--published', 'abc'], '--published abc is no digest'],
    [
      'an option that is not known',
      () => [newest(), '--keys', key],
      "Unknown option '--keys': npm run evidence:verify",
    ],
  ])('exits with 2 and one sentence given %s', (_, args, sentence) => {
    const { status, stdout, stderr } = start('verify.ts', ...args())
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toContain(sentence)
    expect(stderr.match(/\n/g)).toHaveLength(1)
  })
})

describe('evidence:keygen', () => {
  it('says what to do with the keys, and shows none', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'keys-'))
    try {
      const { status, stdout, stderr } = start('keygen.ts', folder)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
      expect(stdout).toMatch(/keep it secret.*DRILL_SIGNING_KEY.*publish it/s)
      expect(stdout).not.toContain('BEGIN')
      expect(start('keygen.ts', folder)).toMatchObject({ status: 2, stdout: '' })
      for (const args of [[], [folder, folder], ['--help']]) {
        const refused = start('keygen.ts', ...args)
        expect(refused).toMatchObject({ status: 2, stdout: '' })
        expect(refused.stderr).toMatch(/^name one folder for the keys, .*npm run evidence:keygen -- FOLDER\n$/)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
