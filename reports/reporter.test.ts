// Goal:   what a worker throws, notes and skips arrives in evidence, on the terminal and in Allure as it was meant.
// Method: real runs of vitest over drills made for this, in a folder of their own.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Evidence, evidenceSchema } from '../helpers/evidence/evidence.ts'
import { sampleFacts, sampleProgress } from './sample.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const SECRET = 'canary-S3cr3t'

const config = `
import { defineConfig } from 'vitest/config'
import { allureListener } from '${ROOT}/reports/allure.ts'
const allure = ['allure-vitest/reporter', { resultsDir: 'out/run/allure-results', reportMatchers: false, listeners: [allureListener] }]
const canceller = {
  onInit(vitest) { this.vitest = vitest },
  onTestCaseAnnotate(test, { message }) { if (message === 'step then hang') void this.vitest.cancelCurrentRun('keyboard-input') },
}
export default defineConfig({
  test: {
    name: process.env.PROJECT ?? 'drills',
    include: process.env.MORE ? ['*.spec.ts'] : ['drill.spec.ts'], globalSetup: ['setup.ts'], pool: 'forks', testTimeout: 30_000, tags: [{ name: 'core' }, { name: 'nightly' }],
    reporters: ['${ROOT}/reports/reporter.ts', allure, canceller],
  },
})`

const setup = (folder: string) => `
import { announceProblem, announceRun } from '${ROOT}/helpers/evidence/run-facts.ts'
export default () => {
  announceRun({ ...${JSON.stringify(sampleFacts)}, directory: '${folder}/out/run', config: { DRILL_IMAGE: '${SECRET}' }, leftOut: process.env.LEFT ? ['P12'] : [], secrets: ['${SECRET}'] })
  return () => process.env.LEAVE && announceProblem({ kind: 'leftover', message: 'a process was left behind' })
}`

const drills = `
import { expect, test as base } from 'vitest'
import { Journal } from '${ROOT}/helpers/evidence/journal.ts'
import { CannotRun, Failure } from '${ROOT}/helpers/failure.ts'
if (process.env.REFUSE) throw new CannotRun('no image: docker pull postgres:18')
const test = base.extend('journal', { auto: true }, ({ task, annotate }) => {
  const journal = new Journal({ id: task.meta.id, runbook: '3' }, step => void annotate('step ' + step.title, 'step').catch(() => undefined))
  task.meta.journal = journal.record
  return journal
})
const drill = (id, body, tags = []) => test('drill ' + id, { meta: { id }, tags }, body)
if (process.env.KILL) drill('P0', () => process.kill(process.pid, 'SIGKILL'))
if (process.env.HANG) drill('P0', async ({ journal }) => {
  await journal.step('then hang', () => undefined)
  await new Promise(() => {})
}, ['core'])
drill('P1', async ({ journal, annotate }) => { await annotate(JSON.stringify(${JSON.stringify(sampleProgress({ seconds: 12, what: `replay for ${SECRET}` }))}), 'progress'); await annotate('! it is old', 'warning'); await journal.step('one', () => journal.observe({ lsn: 3n, url: 'u:${SECRET}@h' })); journal.prove('it holds') }, ['core'])
drill('P2', async ({ journal }) => {
  await journal.step('first', () => undefined)
  await journal.step('last', () => { throw new Failure('rows-missing', 'password ${SECRET}', { missing: 3 }) })
})
drill('P3', async ({ journal }) => { await journal.step('one', () => expect([1]).toEqual([2])) })
drill('P4', async ({ journal }) => { await journal.step('one', () => undefined.foo) })
test('drill P5', { meta: { id: 'P5' }, timeout: 300 }, async ({ journal }) => { await journal.step('one', () => new Promise(() => {})) })
drill('P6', ({ skip }) => skip('it needs Docker'))
drill('P7', () => undefined)
drill('P8', () => { console.log('said ${SECRET}'); throw Object.assign(new AggregateError([new Error('a volume is left'), new Failure('leak', 'b')])) })
let tries = 0
test('drill P10', { meta: { id: 'P10' }, retry: 1 }, async ({ journal }) => {
  await journal.step('one', () => undefined)
  if (tries++ === 0) throw new Failure('flaky', 'at first')
})
test.fails('drill P11', { meta: { id: 'P11' } }, async ({ journal }) => {
  await journal.step('one', () => undefined)
  throw new Failure('expected', 'as declared')
})
test.skip('drill P9', { meta: { id: 'P9' } }, () => undefined)
`

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reporter-'))
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  writeFileSync(path.join(folder, 'vitest.config.mts'), config)
  writeFileSync(path.join(folder, 'setup.ts'), setup(folder))
  writeFileSync(path.join(folder, 'drill.spec.ts'), drills)
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Ended {
  status: number | null
  output: string
  evidence: Evidence
}

function run(environment: Record<string, string>, ...options: string[]): Ended {
  const ours = Object.entries(process.env).filter(([name]) => !/^(VITEST|DRILL_|FORCE_COLOR|NODE_OPTIONS)/.test(name))
  const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', ...options], {
    cwd: folder,
    env: { ...Object.fromEntries(ours), ...environment },
    encoding: 'utf8',
  })
  const evidence = JSON.parse(readFileSync(path.join(folder, 'out/run/evidence.json'), 'utf8')) as Evidence
  return { status, output: stdout + stderr, evidence }
}

const metricsFile = () => path.join(folder, 'out/metrics/pg_recovery_drills.prom')

describe('a run of drills', { timeout: 60_000 }, () => {
  it('gives each drill its verdict, in the evidence and in Allure, and no secret to anybody', () => {
    const { status, output, evidence } = run({})
    expect(evidenceSchema.parse(evidence)).toEqual(evidence)
    expect(evidence.drills.map(({ id, verdict, problems }) => [id, verdict, problems.map(({ kind }) => kind)])).toEqual(
      [
        ['P1', 'passed', []],
        ['P2', 'failed', ['rows-missing']],
        ['P3', 'failed', ['AssertionError']],
        ['P4', 'unknown', ['TypeError']],
        ['P5', 'unknown', ['Error']],
        ['P6', 'not exercised', []],
        ['P7', 'unknown', []],
        ['P8', 'failed', ['Error', 'leak']],
        ['P9', 'unknown', []],
        ['P10', 'failed', ['flaky']],
        ['P11', 'unknown', []],
      ],
    )
    expect(evidence.drills.at(-1)?.reason).toBe('it is declared to fail, or passed only after it had failed')
    expect(evidence.drills[0]?.steps[0]?.observations).toEqual({ lsn: '3', url: 'u:[redacted]@h' })
    expect(evidence.drills[1]?.problems[0]?.evidence).toEqual({ missing: 3 })
    expect(evidence.run).toMatchObject({ state: 'finished', verdict: 'failed' })
    expect(status).toBe(1)

    const results = path.join(folder, 'out/run/allure-results')
    const written = readdirSync(results).map(name => readFileSync(path.join(results, name), 'utf8'))
    const statuses = written
      .map(text => JSON.parse(text) as { name: string; status: string })
      .map(one => [one.name, one.status])
    expect(statuses.sort()).toEqual([
      ['drill P1', 'passed'],
      ['drill P10', 'failed'],
      ['drill P11', 'broken'],
      ['drill P2', 'failed'],
      ['drill P3', 'failed'],
      ['drill P4', 'broken'],
      ['drill P5', 'broken'],
      ['drill P6', 'skipped'],
      ['drill P7', 'broken'],
      ['drill P8', 'failed'],
    ])

    expect(`${JSON.stringify(evidence)}${output}${written}`).not.toContain(SECRET)
    expect(output).toContain('said [redacted]')
    // How far a step has come is for the terminal alone, and there in words.
    expect(output).toContain('P1     … replay for [redacted]: 25 %, 100 MB of 400 MB, about 36 s left\n')
    expect(output).toContain('P1   ! it is old\n')
    expect(`${JSON.stringify(evidence)}${output}${written}`).not.toContain('hasEnded')
    // The steps of a drill stand before its end, also where its failure overtook them.
    expect(output).toMatch(/P2 {3}step first\nP2 {3}step last\nP2 {3}✗ failed/)
  })

  it('passes what was selected, and names what was left out', () => {
    const { status, output, evidence } = run({ LEFT: '1' }, '--tags-filter', 'core')
    expect(evidence.run.verdict).toBe('passed')
    expect(evidence.drills.map(({ id }) => id)).toEqual(['P1'])
    expect(output).toContain('left out by the selection: P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12\n')
    expect(status).toBe(0)
  })

  it('is unknown when the selection matches nothing, which vitest passes', () => {
    const { status, evidence } = run({}, '--tags-filter', 'nightly')
    expect(evidence.run).toMatchObject({ verdict: 'unknown', problems: [{ kind: 'nothing-executed' }] })
    expect(status).toBe(1)
  })

  it('is unknown when something is left over after the last drill', () => {
    const { status, output, evidence } = run({ LEAVE: '1' }, '--tags-filter', 'core')
    expect(evidence.run).toMatchObject({ verdict: 'unknown', problems: [{ kind: 'leftover' }] })
    expect(output).toContain('? run unknown: a process was left behind')
    expect(status).toBe(1)
    const metrics = readFileSync(metricsFile(), 'utf8')
    expect(metrics).toContain('pg_recovery_run_verdict{runtime="embedded",major="18",verdict="unknown"} 1\n')
    expect(metrics).toContain(
      'pg_recovery_drill_verdict{drill="P1",runbook="3",runtime="embedded",major="18",verdict="passed"} 1\n',
    )
  })

  it('is cut off when it is cancelled, and so is every drill that had not ended', () => {
    const { status, evidence } = run({ HANG: '1' })
    expect(evidence.run).toMatchObject({
      state: 'interrupted',
      verdict: 'unknown',
      problems: [{ kind: 'interrupted' }],
    })
    expect(evidence.drills).toHaveLength(12)
    expect(new Set(evidence.drills.map(({ verdict, reason }) => `${verdict}: ${reason}`))).toEqual(
      new Set(['unknown: the run was cut off']),
    )
    expect(status).toBe(1)
    expect(existsSync(metricsFile())).toBe(false)
  })

  it('lists of the files that were not begun when it was cancelled those that were selected', () => {
    writeFileSync(path.join(folder, 'chosen.spec.ts'), "test('P20', { tags: ['core', 'nightly'] }, () => {})")
    writeFileSync(path.join(folder, 'other.spec.ts'), "test('P21', { tags: ['nightly'] }, () => {})")
    writeFileSync(path.join(folder, 'shared.ts'), "export const drill = () => test('P22', { tags: ['nightly'] })")
    writeFileSync(path.join(folder, 'imports.spec.ts'), "import { drill } from './shared.ts'\ndrill()")
    const { evidence } = run({ HANG: '1', MORE: '1' }, '--tags-filter', 'core or not nightly', '--max-workers', '1')
    expect(evidence.run.problems).toEqual([
      { kind: 'file-not-run', message: 'chosen.spec.ts was to be run, and was not' },
      { kind: 'interrupted', message: 'the run was cut off' },
    ])
  })

  it('says what happened when the process that ran the drills died, and passes none of them', () => {
    const { evidence } = run({ KILL: '1' })
    expect(evidence.run).toMatchObject({ state: 'finished', verdict: 'unknown' })
    expect(evidence.run.problems[0]?.message).toContain('caused by Error: Worker exited unexpectedly')
    expect(new Set(evidence.drills.map(({ verdict }) => verdict))).toEqual(new Set(['unknown']))
  })

  it('tells nothing as metrics of what was broken on purpose, not even when that left no journal', () => {
    const { evidence } = run({ PROJECT: 'sabotage:row-altered', KILL: '1' })
    expect(new Set(evidence.drills.map(({ sabotage }) => sabotage))).toEqual(new Set(['row-altered']))
    expect(evidence.run.state).toBe('finished')
    expect(existsSync(metricsFile())).toBe(false)
  })

  it('says so when metrics cannot be written, and is not judged by it', () => {
    mkdirSync(path.join(folder, 'out'))
    writeFileSync(path.join(folder, 'out/metrics'), '')
    const { status, output } = run({}, '--tags-filter', 'core')
    expect(output.replaceAll(/\s+/g, ' ')).toContain('pg_recovery_drills.prom cannot be written')
    expect(status).toBe(0)
  })

  it('prints the sentence alone when the drills cannot run', () => {
    const { output, evidence } = run({ REFUSE: '1' })
    expect(output.split('\n')).toEqual([expect.stringContaining('PostgreSQL'), 'no image: docker pull postgres:18', ''])
    expect(evidence.run.verdict).toBe('unknown')
  })
})
