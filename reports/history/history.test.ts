import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildEvidence } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { type HistoryEntry, historyEntryOf, prepareHistory, readHistory, withHistory } from './history.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'history-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = () => path.join(folder, 'history.jsonl')
const digest = (number: number) => String(number).padStart(64, '0')

function entry(number: number, previous: string | null = null): HistoryEntry {
  return {
    runId: `run-${number}`,
    kind: 'nightly',
    startedAt: '2025-11-23T01:02:03.456Z',
    endedAt: '2025-11-23T01:03:03.456Z',
    verdict: 'passed',
    commit: 'unknown',
    runtime: 'embedded',
    serverMajor: 18,
    digest: digest(number),
    previous,
    drills: [{ id: 'P1', verdict: 'passed', durationSeconds: 4.8, rtoSeconds: 1.9 }],
  }
}

const add = (...entries: HistoryEntry[]) =>
  withHistory(folder, (_, append) => {
    for (const one of entries) append(one)
  })

/** The arguments of a process that runs `body`, with the folder and one more argument, its name, at hand. */
function inProcess(body: string) {
  const script = path.join(folder, 'process.ts')
  writeFileSync(
    script,
    `import { withHistory } from ${JSON.stringify(pathToFileURL(path.join(import.meta.dirname, 'history.ts')).href)}
     const [folder, name] = process.argv.slice(2) as [string, string]
     ${body}`,
  )
  return ['--import', 'tsx', script, folder]
}

function killInTurn(): void {
  const args = inProcess(`withHistory(folder, () => process.kill(process.pid, 'SIGKILL'))`)
  expect(spawnSync(process.execPath, args).signal).toBe('SIGKILL')
  expect(readdirSync(folder)).toContain('history.lock')
}

describe('readHistory', () => {
  it('has no run where there is no file, nor where there is no folder', () => {
    expect(readHistory(folder)).toEqual([])
    expect(readHistory(path.join(folder, 'none'))).toEqual([])
  })

  it('has what was added, oldest first', () => {
    add(entry(1))
    add(entry(2, digest(1)))
    expect(readHistory(folder)).toEqual([entry(1), entry(2, digest(1))])
  })

  it('names the line that cannot be read', () => {
    add(entry(1))
    appendFileSync(file(), `{"runId":"run-2"}\n${JSON.stringify(entry(3))}\n`)
    expect(() => readHistory(folder)).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: expect.stringContaining(`line 2 of ${file()} cannot be read`),
      }),
    )
    expect(() => withHistory(folder, () => 'read')).toThrow('line 2 of')
    expect(existsSync(path.join(folder, 'history.lock'))).toBe(false)
  })

  it('leaves a torn line out wherever it was torn, and the next run repairs it', () => {
    const whole = `${JSON.stringify(entry(1))}\n`
    const torn = JSON.stringify(entry(2, digest(1)))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: torn.length }), cut => {
        const isWhole = cut === torn.length
        writeFileSync(file(), whole + torn.slice(0, cut))
        const before = isWhole ? [entry(1), entry(2, digest(1))] : [entry(1)]
        expect(readHistory(folder)).toEqual(before)
        expect(readFileSync(file(), 'utf8')).toBe(whole + torn.slice(0, cut))
        add(entry(3))
        expect(readHistory(folder)).toEqual([...before, entry(3)])
        expect(readFileSync(file(), 'utf8').match(/\n/g)).toHaveLength(before.length + 1)
      }),
      { numRuns: 50, examples: [[torn.length], [torn.length - 1], [0], [1]] },
    )
  })
})

describe('withHistory', () => {
  it('returns what its body returns, has what was there, and leaves nothing but the history', () => {
    const made = path.join(folder, 'made')
    const count = withHistory(made, (earlier, append) => {
      append(entry(1))
      return earlier.length
    })
    expect(count).toBe(0)
    expect(withHistory(made, earlier => earlier)).toEqual([entry(1)])
    expect(readdirSync(made)).toEqual(['history.jsonl'])
  })

  it('gives the turn back when its body throws', () => {
    expect(() =>
      withHistory(folder, () => {
        throw new Error('full disk')
      }),
    ).toThrow('full disk')
    expect(readdirSync(folder)).toEqual([])
  })

  it('says in a sentence that it cannot write', () => {
    writeFileSync(path.join(folder, 'file'), '')
    expect(() => withHistory(path.join(folder, 'file', 'below'), () => undefined)).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining('set DRILL_HISTORY') }),
    )
  })

  it('makes one chain of the runs of several processes that end together, after one that was killed in its turn', async () => {
    killInTurn()
    const args = inProcess(`
      for (let turn = 0; turn < 20; turn++) withHistory(folder, (earlier, append) => {
        const digest = \`\${name}-\${turn}\`
        append({ ...${JSON.stringify(entry(1))}, runId: digest, digest, previous: earlier.at(-1)?.digest ?? null })
      })`)
    const processes = ['a', 'b', 'c'].map(name => spawn(process.execPath, [...args, name], { stdio: 'inherit' }))
    const ends = await Promise.all(processes.map(one => once(one, 'exit')))
    expect(ends.map(([status]) => status)).toEqual([0, 0, 0])
    const runs = readHistory(folder)
    expect(runs).toHaveLength(60)
    expect(runs.map(({ previous }) => previous)).toEqual([null, ...runs.slice(0, -1).map(run => run.digest)])
    expect(readdirSync(folder).sort()).toEqual(['history.jsonl', 'process.ts'])
  })

  it('takes over from a process that was killed in its turn', () => {
    killInTurn()
    add(entry(1))
    expect(readHistory(folder)).toEqual([entry(1)])
    expect(readdirSync(folder).filter(name => name.includes('lock'))).toEqual([])
  })
})

describe('prepareHistory', () => {
  it('makes the folder, and leaves nothing in it', () => {
    const made = path.join(folder, 'new', 'history')
    prepareHistory(made)
    expect(readdirSync(made)).toEqual([])
  })

  it.each<[string, () => string]>([
    ['where no folder can be made', () => path.join(file(), 'below')],
    ['where no file can be made', () => '/proc/self'],
  ])('says in a sentence that nothing can be written %s', (_, where) => {
    writeFileSync(file(), '')
    expect(() => prepareHistory(where())).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining('set DRILL_HISTORY') }),
    )
  })

  it('says so of a history that cannot be added to', () => {
    mkdirSync(file())
    expect(() => prepareHistory(folder)).toThrow(/history\.jsonl cannot be written \(EISDIR\)/)
  })
})

describe('historyEntryOf', () => {
  const ended = { state: 'finished', endedAt: '2025-11-23T01:03:03.456Z', problems: [] } as const
  const rto = { seconds: 1.9, phases: [], verdict: 'no objective' } as const
  const rpo = { seconds: 0, verdict: 'no objective' } as const
  const record = sampleRecord({ journal: sampleJournal({ rto: { ...rto, phases: [] }, rpo }) })
  const evidence = buildEvidence(sampleFacts, [record], ended)

  it('is the run as later runs remember it', () => {
    const previous = { runId: 'run-1', digest: digest(1) }
    expect(historyEntryOf({ ...evidence, run: { ...evidence.run, previous } }, digest(2))).toEqual({
      runId: sampleFacts.id,
      kind: 'nightly',
      startedAt: sampleFacts.startedAt,
      endedAt: ended.endedAt,
      verdict: 'passed',
      commit: 'unknown',
      runtime: 'embedded',
      serverMajor: 18,
      digest: digest(2),
      previous: digest(1),
      drills: [{ id: 'P1', verdict: 'passed', durationSeconds: 4.8, rtoSeconds: 1.9, rpoSeconds: 0 }],
    })
  })

  it('names the shards that it was merged from', () => {
    const run = { ...evidence.run, previous: null, shards: ['run-1', 'run-2'] }
    expect(historyEntryOf({ ...evidence, run }, digest(2)).shards).toEqual(['run-1', 'run-2'])
  })

  it('is none of a run that has not ended, or is of no history', () => {
    expect(() => historyEntryOf(evidence, digest(2))).toThrow('is of no history')
    const running = { ...evidence, run: { ...evidence.run, previous: null, endedAt: undefined } }
    expect(() => historyEntryOf(running, digest(2))).toThrow('has not ended')
  })
})
