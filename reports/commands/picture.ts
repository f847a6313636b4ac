// node --import tsx reports/commands/picture.ts <index.html>: takes the README's picture of a report, its first screen.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { openBrowser } from '../html/browser.ts'

const PICTURE = path.resolve(import.meta.dirname, '../html/report.png')

const [page] = process.argv.slice(2)
if (page === undefined || !existsSync(page)) {
  console.error('Name the page to take a picture of: reports/out/latest/index.html')
  process.exit(2)
}
const browser = await openBrowser()
const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' })
await tab.goto(pathToFileURL(path.resolve(page)).href)
const lowest = await tab.locator('#summary .run').boundingBox()
if (!lowest) throw new Error(`${page} is no report of a run`)
const clip = { x: 0, y: 0, width: 1280, height: Math.ceil(lowest.y + lowest.height) + 20 }
await tab.screenshot({ path: PICTURE, fullPage: true, clip })
await browser.close()
