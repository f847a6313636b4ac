import { describe, expect, it } from 'vitest'
import type { Verdict } from '../../helpers/evidence/evidence.ts'
import { buildEvidence } from '../build-evidence.ts'
import type { HistoryEntry } from '../history/history.ts'
import { sampleFacts, sampleRecord } from '../sample.ts'
import { disagreements, factsOfMerged, missingOf, missingProblem, problemsOfShard, refuseMerged } from './merged-run.ts'
import { asOneRun, type ShardRun, sealedOf } from './shard-run.ts'

const SECRET = 'canary-S3cr3t'

function shardRun(index: number, count = 3, id = `run-${index}`): ShardRun {
  const facts = { ...sampleFacts, id, shard: { index, count }, startedAt: `2025-11-23T01:0${index}:00.000Z` }
  const endedAt = `2025-11-23T01:1${9 - index}:00.000Z`
  return {
    folder: `/shards/${index}`,
    isSealed: true,
    shard: { index, count },
    plan: { paths: ['drills/recovery'], tags: ['core'], require: ['P1'], leftOut: ['N1'] },
    evidence: buildEvidence(facts, [sampleRecord()], { state: 'finished', endedAt, problems: [] }),
    blob: { text: '[]', vitest: '4.1.12' },
  }
}

describe('shards', () => {
  it('are put in order', () => {
    expect(asOneRun([shardRun(3), shardRun(1), shardRun(2)]).map(({ shard }) => shard.index)).toEqual([1, 2, 3])
  })

  it.each([
    ["the suite's commit", (run: ShardRun) => Object.assign(run.evidence.suite, { commit: 'other' })],
    ["the runbook's SHA-256", (run: ShardRun) => Object.assign(run.evidence.suite, { runbookSha256: 'other' })],
    ['the kind of run', (run: ShardRun) => Object.assign(run.evidence.run, { kind: 'core' })],
    ['the selection', (run: ShardRun) => Object.assign(run.plan, { tags: [] })],
    ['the runtime', (run: ShardRun) => Object.assign(run.evidence.runtime, { name: 'docker' })],
    ["PostgreSQL's version", (run: ShardRun) => Object.assign(run.evidence.runtime, { serverVersion: '17.1' })],
    ['the image', (run: ShardRun) => Object.assign(run.evidence.runtime, { image: 'postgres:17' })],
    ['the configuration', (run: ShardRun) => Object.assign(run.evidence.config, { DRILL_RTO_SECONDS: '9' })],
    ['the number of shards', (run: ShardRun) => Object.assign(run.shard, { count: 4 })],
  ])('are no parts of one run when they differ in %s', (what, change) => {
    const other = structuredClone(shardRun(2))
    change(other)
    expect(() => asOneRun([shardRun(1), other])).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: expect.stringContaining(`not parts of one run: ${what} is `),
      }),
    )
  })

  it('are refused when one is there twice', () => {
    expect(() => asOneRun([shardRun(1), shardRun(2), shardRun(2, 3, 'again')])).toThrow(/shard 2\/3 is there twice/)
  })
})

describe('the run that shards are merged into', () => {
  it('begins with the first of them, ends with the last, and asks for what all were asked for', () => {
    const facts = factsOfMerged(asOneRun([shardRun(1), shardRun(2)]), {
      id: 'whole',
      directory: '/whole',
      secrets: [SECRET],
      require: ['P1', 'R1'],
    })
    expect(facts).toMatchObject({
      id: 'whole',
      startedAt: '2025-11-23T01:01:00.000Z',
      endedAt: '2025-11-23T01:18:00.000Z',
      selection: ['drills/recovery', 'core'],
      shards: ['run-1', 'run-2'],
      require: ['P1', 'R1'],
      leftOut: ['N1'],
      secrets: [SECRET],
    })
    expect(facts.shard).toBeUndefined()
  })

  it('is told of every shard that is missing', () => {
    const missing = missingOf([shardRun(2, 4), shardRun(4, 4)])
    expect(missing.map(one => missingProblem(one, one.index === 1 ? ['P1', 'P2'] : []).message)).toEqual([
      'shard 1/4 is missing, and with it P1, P2',
      'shard 3/4 is missing, and with it no drill',
    ])
  })

  it('has the problems of each shard, and knows which was cut off', () => {
    const leak = { kind: 'left-behind', message: 'a volume' }
    const cutOff = structuredClone(shardRun(1))
    delete cutOff.blob
    cutOff.evidence.run.problems.push(leak, { kind: 'cut-off', message: 'the run was killed' })
    const interrupted = structuredClone(shardRun(2))
    interrupted.evidence.run.state = 'interrupted'
    interrupted.evidence.run.problems.push({ kind: 'interrupted', message: 'the run was cut off' })
    expect([cutOff, interrupted, shardRun(3)].flatMap(problemsOfShard)).toEqual([
      leak,
      { kind: 'shard-cut-off', message: expect.stringMatching(/^shard 1\/3 \(run-1\) was cut off before/) },
      { kind: 'shard-interrupted', message: 'shard 2/3 (run-2) was cut off' },
    ])
  })

  it('takes nothing of a shard that is not sealed, not even its problems, and names it', () => {
    const { blob: _blob, ...unsealed } = shardRun(1)
    unsealed.isSealed = false
    unsealed.evidence.run.problems.push({ kind: 'left-behind', message: 'a volume' })
    expect(problemsOfShard(unsealed)).toEqual([
      { kind: 'shard-unsealed', message: expect.stringMatching(/^shard 1\/3 \(run-1\) is not sealed/) },
    ])
    const facts = { id: 'whole', directory: '/whole', secrets: [], require: [] }
    expect(factsOfMerged(sealedOf([unsealed, shardRun(2)]), facts)).toMatchObject({
      startedAt: '2025-11-23T01:02:00.000Z',
      shards: ['run-2'],
    })
    expect(() => sealedOf([unsealed])).toThrow(/none of the shards is sealed/)
  })

  it('is refused where one of them is in the history already', () => {
    const earlier = { runId: 'merged', shards: ['run-2'] } as HistoryEntry
    expect(() => refuseMerged([shardRun(1), shardRun(3)], [earlier, { runId: 'run-1' } as HistoryEntry])).not.toThrow()
    expect(() => refuseMerged([shardRun(1), shardRun(2)], [earlier])).toThrow(
      expect.objectContaining({
        name: 'CannotRun',
        message: expect.stringContaining('shard 2/3 (run-2) was merged already, into the run merged'),
      }),
    )
  })

  it('does not take a verdict that the evidence of a shard denies', () => {
    const told = (...merged: [string, Verdict][]) => disagreements([shardRun(1)], new Map(), new Map(merged))
    expect(told(['P1', 'passed'])).toEqual([])
    expect(told(['P1', 'failed'])[0]?.message).toMatch(/says of P1 passed, and its blob failed/)
    expect(told()[0]?.message).toMatch(/says of P1 passed, and its blob nothing/)
  })

  it('misses a drill of which a shard left nothing, unless the shard was cut off', () => {
    const shares = new Map([[1, ['P1', 'P2']]])
    const merged = new Map<string, Verdict>([['P1', 'passed']])
    const lost = { kind: 'drill-not-run', message: 'shard 1/3 (run-1) was to run P2, and left nothing of it' }
    expect(disagreements([shardRun(1)], shares, merged)).toEqual([lost])
    const { blob: _blob, ...cutOff } = shardRun(1)
    expect(disagreements([cutOff], shares, merged)).toEqual([])
  })
})
