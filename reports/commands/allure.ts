// npm run report:allure [-- FOLDER]: Allure's HTML of a run as one page, beside the sealed bundle, which stays as it is.
// Exit status: 0 made; 2 could not.
import path from 'node:path'
import { exitWith } from '../../helpers/exit-with.ts'
import { allureHtml } from '../allure-report/allure-html.ts'
import { namedBundle, OUT } from '../bundle/named-bundle.ts'
import { writeWhole } from '../run-folder.ts'

await exitWith(async () => {
  const { runId, html } = await allureHtml(namedBundle('npm run report:allure', process.argv.slice(2)))
  const file = path.join(OUT, 'allure', `${runId}.html`)
  writeWhole(file, html)
  console.log(`Allure: ${path.relative(process.cwd(), file)}`)
  return 0
})
