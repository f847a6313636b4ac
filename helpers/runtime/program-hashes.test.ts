import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { hashPrograms } from './program-hashes.ts'

test('the programs are hashed, each by its name, and nothing else of the folder', async () => {
  const bin = mkdtempSync(path.join(tmpdir(), 'bin-'))
  try {
    for (const [name, text] of Object.entries({ postgres: 'abc', initdb: '', pg_ctl: 'abc', psql: 'x' }))
      writeFileSync(path.join(bin, name), text)
    // As FIPS 180-2 gives them.
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(await hashPrograms(bin)).toEqual([
      { name: 'postgres', sha256: abc },
      { name: 'initdb', sha256: empty },
      { name: 'pg_ctl', sha256: abc },
    ])
  } finally {
    rmSync(bin, { recursive: true })
  }
})
