import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { identify } from './identity.ts'
import { isKept, own, readOwned } from './registry.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'registry-test-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

describe('the registry of a run', () => {
  test('gives back what was written, in its order, and only its user may read it', () => {
    const entries = [
      { kind: 'owner', process: identify(process.pid) },
      { kind: 'process', process: identify(process.pid), what: 'primary' },
      { kind: 'docker' },
    ] as const
    for (const entry of entries) own({ directory }, entry)
    expect(readOwned(directory)).toEqual(entries)
    expect(statSync(path.join(directory, 'owned.jsonl')).mode & 0o777).toBe(0o600)
  })

  test('is empty where there is none', () => {
    expect(readOwned(path.join(directory, 'none'))).toEqual([])
  })

  test('does without a line that was cut off when its writer was killed', () => {
    own({ directory }, { kind: 'docker' })
    appendFileSync(path.join(directory, 'owned.jsonl'), '{"kind":"proc')
    expect(readOwned(directory)).toEqual([{ kind: 'docker' }])
  })

  test('tells whether the data is kept', () => {
    own({ directory }, { kind: 'docker' })
    expect(isKept(directory)).toBe(false)
    own({ directory }, { kind: 'kept' })
    expect(isKept(directory)).toBe(true)
  })

  test('that cannot be read is taken for that of kept data', () => {
    mkdirSync(path.join(directory, 'owned.jsonl'))
    chmodSync(directory, 0o700)
    expect(isKept(directory)).toBe(true)
  })
})
