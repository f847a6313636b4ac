import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, version } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { evidenceSchema } from './evidence.ts'
import { describeMachine, systemName } from './machine.ts'

describe('the machine', () => {
  it('is told in full', () => {
    const machine = describeMachine()
    expect(evidenceSchema.shape.machine.parse(machine)).toEqual(machine)
    expect(Object.values(machine).filter(value => value === '' || value === 0)).toEqual([])
    expect(machine.kernel).toMatch(/^\S+ \d+\.\d+/)
  })
})

describe("the system's name", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'machine-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function named(text: string): string {
    const file = path.join(folder, 'os-release')
    writeFileSync(file, text)
    return systemName(file)
  }

  it('is the one that it calls itself by', () => {
    expect(named('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n')).toBe(
      'Debian GNU/Linux 12 (bookworm)',
    )
    expect(named("PRETTY_NAME='Alpine Linux v3.20'\n")).toBe('Alpine Linux v3.20')
  })

  it('is its version where it has none', () => {
    expect(named('ID=x\n')).toBe(version())
    expect(systemName(path.join(folder, 'gone'))).toBe(version())
  })
})
