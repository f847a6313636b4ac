// npm run report:summary [-- FOLDER]: a run's bundle in Markdown, on standard output: for the page of a CI job.
// Exit status: 0 printed; 2 could not.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { exitWith } from '../../helpers/exit-with.ts'
import { namedBundle } from '../bundle/named-bundle.ts'
import { readEvidence } from '../bundle/read-evidence.ts'
import { summaryOf } from '../summary/markdown.ts'

await exitWith(async () => {
  process.stdout.write(summaryOfBundle(namedBundle('npm run report:summary', process.argv.slice(2))))
  return 0
})

function summaryOfBundle(bundle: string): string {
  const textOf = (name: string) => {
    const file = path.join(bundle, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const [exceptions, matrix, sums] = ['exceptions.json', 'matrix.md', 'SHA256SUMS'].map(textOf)
  return summaryOf(readEvidence(bundle), {
    exceptions: JSON.parse(exceptions ?? '[]'),
    ...(matrix !== undefined && { matrix }),
    ...(sums !== undefined && { digest: createHash('sha256').update(sums).digest('hex') }),
  })
}
