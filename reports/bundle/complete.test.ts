import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type RunProgress } from '../build-evidence.ts'
import { readHistory } from '../history/history.ts'
import { keyIdOf } from '../integrity/keys.ts'
import { sampleFacts, sampleRecord } from '../sample.ts'
import { completeBundle } from './complete.ts'
import { readEvidence } from './read-evidence.ts'
import { rebuildReports } from './rebuild.ts'
import type { BundleSettings } from './settings.ts'

let folder: string
let settings: BundleSettings
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bundle-'))
  settings = {
    historyFolder: path.join(folder, 'history'),
    controls: [{ standard: 'SOC 2', id: 'A1.3', title: 'Recovery is tested', drills: ['P1'] }],
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

const finished = { state: 'finished', endedAt: '2025-11-23T01:03:03.456Z', problems: [] } as const

/** The folder of a run that has written its record, and nothing else yet. */
function run(id: string, { progress = finished as RunProgress, facts = {}, records = [sampleRecord()] } = {}): string {
  const directory = path.join(folder, id)
  mkdirSync(directory)
  const evidence = buildEvidence({ ...sampleFacts, id, ...facts }, records, progress)
  writeFileSync(path.join(directory, 'evidence.json'), JSON.stringify(evidence))
  return directory
}

const running: RunProgress = { state: 'running', problems: [] }

describe('a run that is completed', () => {
  it('names the one before it, is sealed as a whole, and is remembered with its digest', () => {
    const [first, second] = [run('first'), run('second')].map(one => completeBundle(one, settings))
    expect(first?.report.evidence.run.previous).toBeNull()
    expect(second?.report.evidence.run.previous).toEqual({ runId: 'first', digest: first?.digest })
    expect(readHistory(settings.historyFolder).map(({ runId, digest }) => [runId, digest])).toEqual([
      ['first', first?.digest],
      ['second', second?.digest],
    ])
    const cwd = path.join(folder, 'second')
    expect(execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd, encoding: 'utf8' })).toBe('')
    expect(readEvidence(cwd)).toEqual(second?.report.evidence)
  })

  it('says that it was cut off where nobody could say how it ended, as of when it was last heard of', () => {
    const directory = run('killed', { progress: running })
    utimesSync(path.join(directory, 'evidence.json'), 0, Date.parse('2025-11-23T01:02:30Z') / 1000)
    const { evidence } = completeBundle(directory, settings).report
    expect(evidence.run).toMatchObject({
      state: 'interrupted',
      verdict: 'unknown',
      endedAt: '2025-11-23T01:02:30.000Z',
      problems: [{ kind: 'cut-off' }],
    })
  })

  it('failed where a drill had failed before it was cut off', () => {
    const errors = [{ name: 'Failure', kind: 'rows-missing', message: 'x' }]
    const directory = run('killed', { progress: running, records: [sampleRecord({ state: 'failed', errors })] })
    expect(completeBundle(directory, settings).report.evidence.run.verdict).toBe('failed')
  })

  it('a second time is left as it is: its digest may have been published', () => {
    const directory = run('first')
    const { digest } = completeBundle(directory, settings)
    completeBundle(run('second'), settings)
    const sums = readFileSync(path.join(directory, 'SHA256SUMS'), 'utf8')
    expect(completeBundle(directory, settings).digest).toBe(digest)
    expect(readFileSync(path.join(directory, 'SHA256SUMS'), 'utf8')).toBe(sums)
    expect(readHistory(settings.historyFolder)).toHaveLength(2)
  })

  it.each([
    ['a sabotage', { kind: 'sabotage' as const }],
    ['a shard', { shard: { index: 1, count: 2 } }],
  ])('as %s is sealed, and of no history', (_, facts: Partial<Evidence['run']>) => {
    const directory = run('aside', { facts })
    expect(completeBundle(directory, settings).report.evidence.run).not.toHaveProperty('previous')
    expect(existsSync(path.join(directory, 'SHA256SUMS'))).toBe(true)
    expect(readHistory(settings.historyFolder)).toEqual([])
  })

  it('is signed where there is a key, and says by which', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const key = { privateKey, keyId: keyIdOf(publicKey) }
    const directory = run('signed')
    completeBundle(directory, { ...settings, key })
    expect(readFileSync(path.join(directory, 'attestation.dsse.json'), 'utf8')).toContain(key.keyId)
    expect(readFileSync(path.join(directory, 'index.html'), 'utf8')).toContain(key.keyId)
  })

  it('cannot be told of by a pipe that nobody writes to, which keeps nobody waiting', () => {
    const directory = path.join(folder, 'unreadable')
    mkdirSync(directory)
    execFileSync('mkfifo', [path.join(directory, 'evidence.json')])
    expect(() => completeBundle(directory, settings)).toThrow('is not evidence that this version of the suite can read')
  })

  it.each([
    ['nothing', undefined, 'there is no evidence in'],
    ['something else', '{"schemaVersion":1}', 'is not evidence that this version of the suite can read'],
    ['half of it', '{"schemaVersion":2,', 'is not evidence that this version of the suite can read'],
  ])('cannot be told of by %s', (_, text, sentence) => {
    const directory = path.join(folder, 'unreadable')
    mkdirSync(directory)
    if (text !== undefined) writeFileSync(path.join(directory, 'evidence.json'), text)
    expect(() => completeBundle(directory, settings)).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining(sentence) }),
    )
    expect(existsSync(path.join(directory, 'SHA256SUMS'))).toBe(false)
  })
})

describe('reports that are built anew', () => {
  let bundle: string
  let rebuilt: string
  beforeEach(() => {
    bundle = run('first')
    rebuilt = path.join(folder, 'rebuilt')
    completeBundle(bundle, settings)
    completeBundle(run('second'), settings)
  })

  it('are those of the bundle, whatever runs came after it, and as often as they are asked for', () => {
    for (const _ of ['once', 'twice'])
      expect(rebuildReports(bundle, rebuilt, settings)).toEqual({ folder: rebuilt, different: [] })
    expect(readFileSync(path.join(rebuilt, 'index.html'))).toEqual(readFileSync(path.join(bundle, 'index.html')))
  })

  it('are named where they are others, and the bundle stays as it was', () => {
    const sums = readFileSync(path.join(bundle, 'SHA256SUMS'), 'utf8')
    const controls = settings.controls.map(control => ({ ...control, title: 'Something else' }))
    const { different } = rebuildReports(bundle, rebuilt, { ...settings, controls })
    expect(different).toEqual(['index.html', 'controls.csv'])
    const told = execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: bundle, encoding: 'utf8' })
    expect(told).toBe('')
    expect(readFileSync(path.join(bundle, 'SHA256SUMS'), 'utf8')).toBe(sums)
  })

  it('replace no folder that is not of their making', () => {
    mkdirSync(rebuilt)
    writeFileSync(path.join(rebuilt, 'thesis.txt'), 'the only copy')
    expect(() => rebuildReports(bundle, rebuilt, settings)).toThrow(expect.objectContaining({ name: 'CannotRun' }))
    expect(readFileSync(path.join(rebuilt, 'thesis.txt'), 'utf8')).toBe('the only copy')
    expect(() => rebuildReports(bundle, bundle, settings)).toThrow(expect.objectContaining({ name: 'CannotRun' }))
  })
})
