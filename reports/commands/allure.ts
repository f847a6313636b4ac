// npm run report:allure [-- FOLDER]: Allure's HTML of a run as one page, beside the sealed bundle, which stays as it is.
// Exit status: 0 made; 2 could not.
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { CannotRun } from '../../helpers/failure.ts'
import { allureHtml } from '../allure-report/allure-html.ts'
import { writeWhole } from '../run-folder.ts'

const OUT = path.resolve(import.meta.dirname, '../out')

try {
  const { runId, html } = await allureHtml(bundleNamed(process.argv.slice(2)))
  const file = path.join(OUT, 'allure', `${runId}.html`)
  writeWhole(file, html)
  console.log(`Allure: ${path.relative(process.cwd(), file)}`)
} catch (error) {
  if (!(error instanceof CannotRun)) throw error
  console.error(error.message)
  process.exitCode = 2
}

function bundleNamed(argv: string[]): string {
  try {
    const [folder = path.join(OUT, 'latest'), ...more] = parseArgs({ args: argv, allowPositionals: true }).positionals
    if (more.length > 0) throw new Error('more than one folder')
    return realpathSync(folder)
  } catch (cause) {
    throw new CannotRun(
      `npm run report:allure takes one folder of a run, such as reports/out/latest: ${(cause as Error).message}`,
      { cause },
    )
  }
}
