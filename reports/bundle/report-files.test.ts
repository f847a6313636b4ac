// Goal:   what a bundle is made of follows from its evidence alone, can be read by others' programs, and is made in no time.
// Method: parsers and schemas that are not the writers'; a run of 45 drills, as many as a night has.
import { spawnSync } from 'node:child_process'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { parse } from 'csv-parse/sync'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import { loadControls } from '../controls/controls.ts'
import { failedReport, interruptedReport, sampleReport } from '../html/sample-report.ts'
import type { Report } from '../report.ts'
import { makeReport } from './make-report.ts'
import { reportFiles } from './report-files.ts'

const controls = loadControls()

/** A report of which everything follows from `evidence`, as of a run that ends. */
const made = ({ evidence }: Report) => makeReport(evidence, [], { controls })
const reports = { passed: made(sampleReport()), failed: made(failedReport()), interrupted: made(interruptedReport()) }

/** As many drills as a night has, with all that a recovery leaves. */
function nightly(): Report {
  const { evidence } = sampleReport()
  const drills = Array.from({ length: 45 }, (_, index) => {
    const drill = evidence.drills[index % evidence.drills.length]
    if (!drill) throw new Error('the sample has no drills')
    return { ...drill, id: `P${index + 1}` }
  })
  return made({ ...sampleReport(), evidence: { ...evidence, drills } })
}

describe.each(Object.entries(reports))('the reports of a run that %s', (_, report) => {
  const files = reportFiles(report)
  const textOf = (name: string) => files.get(name) ?? ''

  it('are the same to the byte when they are made again', () => {
    expect([...reportFiles(structuredClone(report))]).toEqual([...files])
  })

  it.each(['exceptions', 'environment'])('have %s.json as the schema beside it says', name => {
    const ajv = new Ajv2020({ allErrors: true })
    // A module of CommonJS, whose own default export is a property to this one.
    formats.default(ajv)
    const validate = ajv.compile(JSON.parse(textOf(`${name}.schema.json`)))
    expect(validate(JSON.parse(textOf(`${name}.json`))), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ what: 'is neither' })).toBe(false)
  })

  it('have a case in junit.xml for each drill, and only passes for what passed', () => {
    expect(XMLValidator.validate(textOf('junit.xml'))).toBe(true)
    const isArray = (name: string) => name === 'testsuite' || name === 'testcase'
    const parsed = new XMLParser({ ignoreAttributes: false, isArray }).parse(textOf('junit.xml'))
    const cases: Record<string, string>[] = parsed.testsuites.testsuite.flatMap(
      (suite: { testcase: object[] }) => suite.testcase,
    )
    const passed = cases.filter(one => !['failure', 'error', 'skipped'].some(outcome => outcome in one))
    const { run, drills } = report.evidence
    expect(cases).toHaveLength(drills.length + (run.verdict === 'passed' ? 0 : 1))
    expect(passed.map(one => one['@_name']).sort()).toEqual(
      drills
        .filter(({ verdict }) => verdict === 'passed')
        .map(({ id, title }) => `${id} ${title}`)
        .sort(),
    )
  })

  it.each(['measurements.csv', 'controls.csv'])('have %s as a table with a head and rows of its length', name => {
    const [head, ...rows] = parse(textOf(name)) as string[][]
    expect(rows.length).toBeGreaterThan(0)
    expect(new Set(rows.map(({ length }) => length))).toEqual(new Set([head?.length]))
  })

  it('have metrics.prom as promtool reads it', ({ skip }) => {
    if (spawnSync('promtool', ['--version']).status !== 0)
      skip("promtool is not on PATH: Debian's package prometheus has it")
    const input = textOf('metrics.prom')
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' })
    expect({ status, told: stdout + stderr }).toEqual({ status: 0, told: '' })
  })
})

// The wall clock of a busy machine says nothing: five seconds is what a night's reports may take on one that is not.
it('the reports of a whole night take less than half of five seconds of the processor', () => {
  const report = nightly()
  const before = process.cpuUsage()
  const files = reportFiles(report)
  const { user, system } = process.cpuUsage(before)
  expect(report.evidence.drills).toHaveLength(45)
  expect(files.get('index.html')).toContain('P45')
  expect((user + system) / 1e6).toBeLessThan(2.5)
})
