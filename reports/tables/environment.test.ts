import { expect, it } from 'vitest'
import { buildEvidence } from '../build-evidence.ts'
import { sampleFacts } from '../sample.ts'
import { environmentOf, environmentSchema } from './environment.ts'

it('is what the run ran on and what it ran, as the evidence has it, and nothing of its drills', () => {
  const facts = { ...sampleFacts, config: { DRILL_IMAGE: 'postgres:17 s3cret' }, secrets: ['s3cret'] }
  const evidence = buildEvidence(facts, [], { state: 'finished', problems: [] })
  const environment = environmentOf(evidence)
  expect(environmentSchema.parse(environment)).toEqual(environment)
  expect(environment).toEqual({
    runId: '20251123T010203-1',
    startedBy: { name: 'Ada Lovelace', source: 'git' },
    suite: sampleFacts.suite,
    runtime: sampleFacts.runtime,
    machine: sampleFacts.machine,
    config: { DRILL_IMAGE: 'postgres:17 [redacted]' },
  })
})
