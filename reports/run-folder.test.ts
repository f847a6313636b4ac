import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeRunFolder, writeWhole } from './run-folder.ts'

let out: string
beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'out-'))
})
afterEach(() => rmSync(out, { recursive: true }))

describe('makeRunFolder', () => {
  it('points latest at the run that came last, and leaves nothing else', () => {
    makeRunFolder(path.join(out, 'first'))
    makeRunFolder(path.join(out, 'second'))
    makeRunFolder(path.join(out, 'second'))
    expect(readlinkSync(path.join(out, 'latest'))).toBe('second')
    expect(readdirSync(out).sort()).toEqual(['first', 'latest', 'second'])
  })

  it('says in one sentence that the folder cannot be written', () => {
    writeFileSync(path.join(out, 'file'), '')
    expect(() => makeRunFolder(path.join(out, 'file', 'run'))).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining(path.join(out, 'file', 'run')) }),
    )
  })
})

describe('writeWhole', () => {
  it('replaces a file, and leaves nothing beside it', () => {
    const file = path.join(out, 'evidence.json')
    writeWhole(file, 'old')
    writeWhole(file, 'new')
    expect(readFileSync(file, 'utf8')).toBe('new')
    expect(readdirSync(out)).toEqual(['evidence.json'])
  })
})
