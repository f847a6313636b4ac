// Goal:   the page is the same to everybody: on paper, on a phone, in the dark, by keyboard, to a screen reader, without a network.
// Method: Debian's Chromium opens the page of a run that passed, of one that failed and of one that was cut off, in each of the two
//         widths and colour schemes, and axe looks for what keeps people out.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from './browser.ts'
import { indexHtml } from './index-html.tsx'
import { failedReport, interruptedReport, sampleReport } from './sample-report.ts'

const PAGES = {
  passed: { report: sampleReport(), verdict: 'Recovery is proven' },
  failed: { report: failedReport(), verdict: 'Recovery is not proven: the run failed' },
  interrupted: { report: interruptedReport(), verdict: 'The run was interrupted: recovery is not proven' },
}
const STANDARDS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']

let browser: Browser
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'report-page-'))
  browser = await openBrowser()
  for (const [name, { report }] of Object.entries(PAGES)) writeFileSync(fileOf(name), indexHtml(report))
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true })
})

const fileOf = (name: string) => path.join(folder, `${name}.html`)

interface Seen {
  page: Page
  /** Whatever the browser complained of. */
  complaints: string[]
  /** The addresses that it asked for. */
  asked: string[]
}

/** Opens a page, gives it to `look`, and closes it. */
async function open(name: string, options: Parameters<Browser['newPage']>[0], look: (seen: Seen) => Promise<void>) {
  const page = await browser.newPage(options)
  const [complaints, asked]: [string[], string[]] = [[], []]
  page.on('console', message => complaints.push(message.text()))
  page.on('pageerror', error => complaints.push(error.message))
  page.on('request', request => asked.push(request.url()))
  try {
    await page.goto(pathToFileURL(fileOf(name)).href)
    await look({ page, complaints, asked })
  } finally {
    await page.close()
  }
}

/** What axe holds against the page, in a line each. */
async function violationsOf(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy forbids every script.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(
    tags =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        runOnly: { type: 'tag', values: tags },
        resultTypes: ['violations'],
      }),
    STANDARDS,
  )
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}

describe.each(Object.entries(PAGES))('the page of a run that %s', (name, { verdict }) => {
  it.each([
    { width: 1280, colorScheme: 'light' },
    { width: 1280, colorScheme: 'dark' },
    { width: 360, colorScheme: 'light' },
    { width: 360, colorScheme: 'dark' },
  ] as const)('is whole and open to everybody at $width px, $colorScheme', async ({ width, colorScheme }) => {
    await open(name, { viewport: { width, height: 800 }, colorScheme }, async ({ page, complaints, asked }) => {
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(verdict)
      const picture = path.join(folder, `${name}-${width}-${colorScheme}.png`)
      await page.screenshot({ path: picture })
      expect(statSync(picture).size).toBeGreaterThan(10_000)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      expect(await violationsOf(page)).toEqual([])
      expect(complaints).toEqual([])
      expect(asked).toEqual([pathToFileURL(fileOf(name)).href])
    })
  })

  it('cuts nothing off on a phone, where its tables are lists, and still tables to a screen reader', async () => {
    await open(name, { viewport: { width: 360, height: 800 } }, async ({ page }) => {
      await page.evaluate(() => {
        for (const details of Array.from(document.querySelectorAll('details'))) details.open = true
      })
      const seen = await page.evaluate(() => {
        const windows = Array.from(document.querySelectorAll('.scroll'))
        const cut = windows.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
        const texts = Array.from(document.querySelectorAll('.plot text')).filter(text => text.checkVisibility())
        const small = texts.filter(text => text.getBoundingClientRect().height < 8)
        return {
          cut: cut.map(one => one.getAttribute('aria-label')),
          plots: texts.length,
          small: small.map(text => text.textContent),
        }
      })
      expect(seen.cut).toEqual([])
      expect(seen.plots).toBeGreaterThan(5)
      expect(seen.small).toEqual([])
      const table = page.getByRole('table', { name: 'Steps of §3, and the drills that prove them' })
      expect(await table.getByRole('columnheader').count()).toBe(5)
      expect(await table.getByRole('rowheader').allTextContents()).toEqual(['3.4'])
      expect(await table.getByRole('cell').count()).toBe(4)
    })
  })

  it('lets the keyboard reach whatever can be followed, folded open or moved', async () => {
    await open(name, { viewport: { width: 360, height: 800 } }, async ({ page }) => {
      const all = await page.evaluate(() => {
        const elements = Array.from(document.querySelectorAll('a[href], summary, [tabindex]'))
        const reachable = elements.filter(element => element.checkVisibility())
        for (const [index, element] of reachable.entries()) element.setAttribute('data-stop', String(index))
        return reachable.length
      })
      expect(all).toBeGreaterThan(30)
      const reached: string[] = []
      for (let presses = 0; presses < all; presses++) {
        await page.keyboard.press('Tab')
        reached.push(await page.evaluate(() => document.activeElement?.getAttribute('data-stop') ?? 'nowhere'))
      }
      expect(reached).toEqual(Array.from({ length: all }, (_, index) => String(index)))
    })
  })

  it('prints with all that is folded away', async () => {
    await open(name, {}, async ({ page }) => {
      const folded = () =>
        page.evaluate(() => {
          const within = Array.from(document.querySelectorAll('details > :not(summary)'))
          return { all: within.length, hidden: within.filter(element => !element.checkVisibility()).length }
        })
      const onScreen = await folded()
      expect(onScreen.hidden).toBe(onScreen.all)
      const pdf = await page.pdf({ preferCSSPageSize: true })
      expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
      await page.emulateMedia({ media: 'print' })
      expect(onScreen.all).toBeGreaterThan(0)
      expect(await folded()).toEqual({ all: onScreen.all, hidden: 0 })
    })
  })
})
