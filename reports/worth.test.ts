import { describe, expect, it } from 'vitest'
import { buildEvidence } from './build-evidence.ts'
import { sampleFacts, sampleRecord } from './sample.ts'
import { drillOf, worthOf } from './worth.ts'

const failed = { state: 'failed', errors: [{ name: 'Failure', kind: 'x', message: 'x' }] } as const
const run = (...args: [Parameters<typeof buildEvidence>[1], ('running' | 'finished' | 'interrupted')?]) =>
  buildEvidence(sampleFacts, args[0], { state: args[1] ?? 'finished', problems: [] })

describe('a run', () => {
  it('is evidence when it has ended, also when it failed', () => {
    expect(worthOf(run([sampleRecord(failed)]))).toEqual({ isEvidence: true })
  })

  it('is none when it was cut off, or something in it was broken on purpose', () => {
    expect(worthOf(run([sampleRecord()], 'running')).isEvidence).toBe(false)
    expect(worthOf(run([sampleRecord()], 'interrupted')).isEvidence).toBe(false)
    expect(worthOf(run([sampleRecord({ sabotage: 'x' })])).isEvidence).toBe(false)
    expect(
      worthOf(buildEvidence({ ...sampleFacts, kind: 'sabotage' }, [], { state: 'finished', problems: [] })).isEvidence,
    ).toBe(false)
  })
})

describe('a drill', () => {
  it('is found by its id, and of two that bear one id the one that did not pass', () => {
    expect(drillOf(run([sampleRecord()]), 'P1')?.verdict).toBe('passed')
    expect(drillOf(run([sampleRecord()]), 'P2')).toBeUndefined()
    expect(drillOf(run([sampleRecord(), sampleRecord(failed)]), 'P1')?.verdict).toBe('failed')
    expect(drillOf(run([sampleRecord(failed), sampleRecord()]), 'P1')?.verdict).toBe('failed')
  })
})
