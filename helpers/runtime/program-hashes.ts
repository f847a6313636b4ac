import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface ProgramHash {
  name: string
  sha256: string
}

/** What a server is made and run with: PostgreSQL's other files are data to these. */
const PROGRAMS = ['postgres', 'initdb', 'pg_ctl']

/** Of the programs in a folder. */
export async function hashPrograms(bin: string): Promise<ProgramHash[]> {
  return await Promise.all(
    PROGRAMS.map(async name => {
      const hash = createHash('sha256')
      await pipeline(createReadStream(path.join(bin, name)), hash)
      return { name, sha256: hash.digest('hex') }
    }),
  )
}
