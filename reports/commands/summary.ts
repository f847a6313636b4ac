// npm run report:summary -- FOLDER: a run's bundle in Markdown, on standard output: for the page of a CI job.
// Exit status: 0 printed; 2 could not.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../../helpers/failure.ts'
import { readEvidence } from '../bundle/read-evidence.ts'
import { summaryOf } from '../summary/markdown.ts'

try {
  process.stdout.write(summaryOfBundle(bundleNamed(process.argv.slice(2))))
} catch (error) {
  if (!(error instanceof CannotRun)) throw error
  console.error(error.message)
  process.exitCode = 2
}

function bundleNamed(argv: string[]): string {
  const [folder, ...more] = argv
  if (folder === undefined || folder.startsWith('-') || more.length > 0)
    throw new CannotRun('npm run report:summary takes one folder of a run, such as reports/out/latest')
  return folder
}

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
