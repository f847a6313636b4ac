// npm run report [-- FOLDER]: every report of a run built anew from its evidence, beside the sealed bundle, which stays as it is.
// Exit status: 0 built; 2 could not.
import { realpathSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../../helpers/config.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { rebuildReports } from '../bundle/rebuild.ts'
import { loadBundleSettings } from '../bundle/settings.ts'

const OUT = path.resolve(import.meta.dirname, '../out')

try {
  const bundle = bundleNamed(process.argv.slice(2))
  const { folder, different } = rebuildReports(
    bundle,
    path.join(OUT, 'rebuilt', path.basename(bundle)),
    loadBundleSettings(loadConfig()),
  )
  console.log(`report: ${path.relative(process.cwd(), path.join(folder, 'index.html'))}`)
  console.log(
    different.length === 0
      ? 'every report is byte for byte that of the bundle'
      : `not as in the bundle, which was made with other code, controls, key or history: ${different.join(', ')}`,
  )
} catch (error) {
  if (!(error instanceof CannotRun)) throw error
  console.error(error.message)
  process.exitCode = 2
}

function bundleNamed(argv: string[]): string {
  const { positionals } = parse(argv)
  const [folder = path.join(OUT, 'latest'), ...more] = positionals
  if (more.length > 0) throw new CannotRun('name one folder of a run, such as reports/out/latest')
  try {
    return realpathSync(folder)
  } catch (cause) {
    throw new CannotRun(`there is no ${folder}: name the folder of a run, such as reports/out/latest`, { cause })
  }
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, allowPositionals: true, options: {} })
  } catch (cause) {
    throw new CannotRun('npm run report takes the folder of a run and nothing else', { cause })
  }
}
