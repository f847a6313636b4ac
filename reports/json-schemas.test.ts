import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { buildEvidence } from './build-evidence.ts'
import { coverControls, loadControls } from './controls/controls.ts'
import type { HistoryEntry } from './history/history.ts'
import { jsonSchemas } from './json-schemas.ts'
import { sampleFacts, sampleJournal, sampleRecord, sampleStep } from './sample.ts'
import { environmentOf } from './tables/environment.ts'
import { exceptionsOf } from './tables/exceptions.ts'

/** What the schema of that file has against a value; nothing where it is valid. */
function mistakes(file: string, value: unknown): string[] {
  const ajv = new Ajv2020({ allErrors: true })
  // A module of CommonJS, whose own default export is a property to this one.
  formats.default(ajv)
  const validate = ajv.compile(JSON.parse(jsonSchemas().get(file) ?? ''))
  // As it stands in a file.
  validate(JSON.parse(JSON.stringify(value)))
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

const journal = sampleJournal({
  steps: [sampleStep({ steps: [sampleStep({ observations: { deep: [1, null, { a: 'b' }] } })] })],
  rto: { seconds: 1, phases: [{ name: 'noticed', seconds: 1 }], objectiveSeconds: 0.5, verdict: 'missed' },
  rpo: { seconds: 1, verdict: 'no objective' },
  deviations: [{ section: '3.4', what: 'a', why: 'b', proposedText: 'c' }],
  timeline: {
    replays: [{ server: 'restored', points: [{ seconds: 1, lsn: '0/1' }] }],
    signals: [],
    events: [{ seconds: 1, what: 'x' }],
  },
  attached: [{ path: 'drills/P1/server-restored.log', what: 'its log' }],
})
const failed = { state: 'failed', errors: [{ name: 'Failure', kind: 'rows-missing', message: 'x' }] } as const
const evidence = buildEvidence(
  {
    ...sampleFacts,
    runtime: { ...sampleFacts.runtime, programs: [{ name: 'postgres', sha256: '0'.repeat(64) }] },
    config: { DRILL_RUNTIME: 'embedded' },
  },
  [sampleRecord({ journal }), sampleRecord({ ...failed, id: 'P2', journal: sampleJournal({ id: 'P2' }) })],
  { state: 'interrupted', endedAt: sampleFacts.startedAt, problems: [{ kind: 'leftover', message: 'x' }] },
)
const entry: HistoryEntry = {
  runId: 'a',
  kind: 'nightly',
  startedAt: sampleFacts.startedAt,
  endedAt: sampleFacts.startedAt,
  verdict: 'passed',
  commit: 'unknown',
  runtime: 'embedded',
  serverMajor: 18,
  digest: '0'.repeat(64),
  previous: null,
  drills: [{ id: 'P1', verdict: 'passed', durationSeconds: 1, rtoSeconds: 1 }],
}
const exceptions = exceptionsOf(evidence, {
  controls: coverControls(loadControls(), evidence),
  trends: [{ drill: 'P1', rto: [], medianSeconds: 1, warning: 'P1 took twice as long' }],
})

describe('the JSON Schemas', () => {
  it.each([...jsonSchemas()])('%s is the committed one; if not, run `npm run schema`', (file, text) => {
    expect(readFileSync(path.join(import.meta.dirname, file), 'utf8')).toBe(text)
  })

  it.each([
    ['evidence.schema.json', evidence],
    ['exceptions.schema.json', exceptions],
    ['environment.schema.json', environmentOf(evidence)],
    ['history.schema.json', entry],
  ])('%s holds of what is written', (file, value) => {
    expect(mistakes(file, value)).toEqual([])
  })

  it.each([
    ['evidence.schema.json', { ...evidence, run: { ...evidence.run, startedAt: 'yesterday' } }, '/run/startedAt'],
    ['evidence.schema.json', { ...evidence, drills: [{}] }, '/drills/0'],
    ['exceptions.schema.json', [{ ...exceptions[0], kind: 'other' }], '/0/kind'],
    ['environment.schema.json', { ...environmentOf(evidence), config: { DRILL_RUNTIME: 1 } }, '/config/DRILL_RUNTIME'],
    ['environment.schema.json', { ...environmentOf(evidence), more: 1 }, ''],
    ['history.schema.json', { ...entry, serverMajor: 18.4 }, '/serverMajor'],
  ])('%s does not hold of anything else: %#', (file, value, where) => {
    const found = mistakes(file, value)
    expect(found).not.toEqual([])
    expect(found.filter(one => !one.startsWith(`${where} `))).toEqual([])
  })

  it('say that a step of a drill holds steps', () => {
    const { $defs } = JSON.parse(jsonSchemas().get('evidence.schema.json') ?? '') as {
      $defs: Record<string, { properties?: { steps?: { items: { $ref: string } } } }>
    }
    const recursive = Object.entries($defs).filter(
      ([name, { properties }]) => properties?.steps?.items.$ref === `#/$defs/${name}`,
    )
    expect(recursive).toHaveLength(1)
  })
})
