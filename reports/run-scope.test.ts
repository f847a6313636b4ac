import { describe, expect, it } from 'vitest'
import type { Evidence } from '../helpers/evidence/evidence.ts'
import { buildEvidence } from './build-evidence.ts'
import { filesNotBegun, scopeOf } from './run-scope.ts'
import { sampleFacts, sampleRecord } from './sample.ts'

/** Of a run with one drill. */
function scope(run: Partial<Evidence['run']>): string | undefined {
  const evidence = buildEvidence(sampleFacts, [sampleRecord()], { state: 'finished', problems: [] })
  return scopeOf({ ...evidence, run: { ...evidence.run, ...run } })
}

const notRun = { kind: 'file-not-run', message: 'drills/x.spec.ts was to be run, and was not' }

describe('scopeOf', () => {
  it('says nothing of a whole run', () => {
    expect(scope({})).toBeUndefined()
    expect(scope({ kind: 'live', selection: ['drills/live/restore.spec.ts'] })).toBeUndefined()
  })

  it.each<[Partial<Evidence['run']>, RegExp]>([
    [{ kind: 'core' }, /^1 of \d\d drills: the core$/],
    [
      { selection: ['drills/readiness', 'shard 1/2'] },
      /^1 of \d\d drills: a selection, drills\/readiness, shard 1\/2$/,
    ],
    [{ kind: 'core', selection: ['drills/readiness'] }, /: the core, a selection, drills\/readiness$/],
    [{ kind: 'soak', selection: ['drills/recovery/soak.spec.ts'] }, /^1 drill of the soak alone$/],
    [{ kind: 'core', state: 'interrupted', problems: [notRun, notRun] }, /^3 of \d\d drills: the core$/],
    [{ kind: 'core', state: 'running' }, /^not all of \d\d drills: the core$/],
  ])('says of %j what part it is', (run, told) => {
    expect(scope(run)).toMatch(told)
  })
})

describe('filesNotBegun', () => {
  it('counts the files, and no other problem', () => {
    expect(filesNotBegun({ problems: [notRun, { kind: 'leftover', message: 'a server' }, notRun] })).toBe(2)
  })
})
