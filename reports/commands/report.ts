// npm run report [-- FOLDER]: every report of a run built anew from its evidence, beside the sealed bundle, which stays as it is.
// Exit status: 0 built; 2 could not.
import path from 'node:path'
import { loadConfig } from '../../helpers/config.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { namedBundle, OUT } from '../bundle/named-bundle.ts'
import { rebuildReports } from '../bundle/rebuild.ts'
import { readBundleSettings } from '../bundle/settings.ts'

await exitWith(async () => {
  const bundle = namedBundle('npm run report', process.argv.slice(2))
  const { folder, different } = rebuildReports(
    bundle,
    path.join(OUT, 'rebuilt', path.basename(bundle)),
    readBundleSettings(loadConfig()),
  )
  console.log(`report: ${path.relative(process.cwd(), path.join(folder, 'index.html'))}`)
  console.log(
    different.length === 0
      ? 'every report is byte for byte that of the bundle'
      : `not as in the bundle, which was made with other code, controls, key or history: ${different.join(', ')}`,
  )
  return 0
})
