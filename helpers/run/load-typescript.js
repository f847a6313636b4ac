// node --import: lets Node run TypeScript. Plain JavaScript, since what does that keeps files in the temporary folder, and
// ends with a stack trace where it cannot.
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

try {
  rmdirSync(mkdtempSync(path.join(tmpdir(), 'writable-')))
} catch (error) {
  const folder = tmpdir()
  process.stderr.write(
    `the temporary folder ${folder} cannot be written to (${error.code}): set TMPDIR to one that can\n`,
  )
  process.exit(2)
}
await import('tsx')
