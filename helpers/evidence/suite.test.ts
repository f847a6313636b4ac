import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSuite } from './suite.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'suite-'))
  writeFileSync(path.join(root, 'package.json'), '{"name":"drills","version":"1.2.3","private":true}')
  mkdirSync(path.join(root, 'drills'))
  writeFileSync(path.join(root, 'drills/runbook.md'), 'abc')
})
afterEach(() => rmSync(root, { recursive: true }))

/** Of 'abc', as FIPS 180-2 gives it. */
const RUNBOOK_SHA256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

const git = (...command: string[]) =>
  execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...command], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim()

function commitAll(): string {
  git('init', '--quiet')
  git('add', '.')
  git('commit', '--quiet', '--no-verify', '--message', 'all')
  return git('rev-parse', 'HEAD')
}

describe('readSuite', () => {
  it('gives the commit of a clean checkout, and the hash of its runbook', () => {
    const commit = commitAll()
    expect(readSuite(root)).toEqual({ name: 'drills', version: '1.2.3', commit, runbookSha256: RUNBOOK_SHA256 })
  })

  it('says so when the checkout was changed', () => {
    const commit = commitAll()
    writeFileSync(path.join(root, 'new.txt'), '')
    expect(readSuite(root).commit).toBe(`${commit}-dirty`)
  })

  it('does not know the commit outside a checkout, before the first commit, and below another checkout', () => {
    expect(readSuite(root).commit).toBe('unknown')
    git('init', '--quiet')
    expect(readSuite(root).commit).toBe('unknown')
    commitAll()
    const copy = path.join(root, 'copy')
    mkdirSync(path.join(copy, 'drills'), { recursive: true })
    writeFileSync(path.join(copy, 'drills/runbook.md'), 'abc')
    writeFileSync(path.join(copy, 'package.json'), '{"name":"drills","version":"1.2.3"}')
    expect(readSuite(copy).commit).toBe('unknown')
  })
})
