// Goal:   Allure's page of a run lists its drills, tells nobody that it was opened, and leaves the bundle as it was.
// Method: Allure itself on results as its reporter writes them; the page in Chromium, with every request watched.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildEvidence } from '../build-evidence.ts'
import { openBrowser } from '../html/browser.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { allureHtml } from './allure-html.ts'

const startedAt = '2025-11-23T01:02:03.456Z'
const records = [
  sampleRecord({
    journal: sampleJournal({
      rto: { seconds: 4.25, phases: [{ name: 'restore', seconds: 4.25 }], verdict: 'no objective' },
    }),
  }),
  sampleRecord({
    id: 'R2',
    title: 'a stale backup is found',
    journal: sampleJournal({ id: 'R2', runbook: '2' }),
  }),
]

let folder: string
let page: string
let filesBefore: string[]

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'allure-html-'))
  const bundle = path.join(folder, 'bundle')
  mkdirSync(path.join(bundle, 'allure-results'), { recursive: true })
  const evidence = buildEvidence(sampleFacts, records, { state: 'finished', problems: [] })
  writeFileSync(path.join(bundle, 'evidence.json'), JSON.stringify(evidence))
  for (const { id, title } of evidence.drills)
    writeFileSync(
      path.join(bundle, 'allure-results', `${id}-result.json`),
      JSON.stringify({
        uuid: id,
        name: title,
        fullName: `drills/${id}`,
        historyId: id,
        status: 'passed',
        stage: 'finished',
        start: Date.parse(startedAt),
        stop: Date.parse(startedAt) + 4_800,
        labels: [{ name: 'drillId', value: id }],
        parameters: [],
        steps: [],
        attachments: [],
        links: [],
      }),
    )
  filesBefore = filesIn(bundle)
  const { html } = await allureHtml(bundle)
  page = html
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function filesIn(bundle: string): string[] {
  return readdirSync(bundle, { recursive: true, encoding: 'utf8' })
    .filter(name => statSync(path.join(bundle, name)).isFile())
    .map(name => `${name} ${readFileSync(path.join(bundle, name), 'utf8')}`)
    .sort()
}

describe("Allure's page of a run", () => {
  it('holds no tracker, and no address but those of names', () => {
    const addresses = page.match(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi) ?? []
    expect([...new Set(addresses)]).toEqual(['http://www.w3.org'])
    expect(page).not.toMatch(/gtag|dataLayer|googletagmanager|google-analytics/)
    expect(page).toMatch(/<meta http-equiv="Content-Security-Policy" content="default-src 'none';/)
  })

  it('leaves the bundle as it was', () => {
    expect(filesIn(path.join(folder, 'bundle'))).toEqual(filesBefore)
  })

  it('lists the drills and their RTO in a browser, from which no request leaves', async () => {
    const file = path.join(folder, 'page.html')
    writeFileSync(file, page)
    const browser = await openBrowser()
    try {
      const view = await browser.newPage()
      const told: string[] = []
      const requested: string[] = []
      view.on('console', message => message.type() === 'error' && told.push(message.text()))
      view.on('pageerror', error => told.push(error.message))
      view.on('request', request => requested.push(request.url()))
      await view.goto(pathToFileURL(file).href)
      for (const { title } of records) await view.getByText(title).first().waitFor()
      await view.getByText('Report', { exact: true }).first().click()
      await view.getByText('Metrics', { exact: true }).first().click()
      await view.getByText('4.25 s').first().waitFor()
      expect(told).toEqual([])
      const outside = requested.filter(url => !/^(data|blob):/.test(url))
      expect(outside).toEqual([pathToFileURL(file).href])
    } finally {
      await browser.close()
    }
  })
})
