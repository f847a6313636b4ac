import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { evidenceSchema, type Rpo, type Verdict } from '../helpers/evidence/evidence.ts'
import type { JournalRecord } from '../helpers/evidence/journal.ts'
import { buildDrill, buildEvidence, type DrillRecord, type RunProgress } from './build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord, sampleStep } from './sample.ts'

const failure = { name: 'Failure', kind: 'rows-missing', message: '3 rows are missing' }
const crash = { name: 'TypeError', message: 'x is undefined' }
const finished: RunProgress = { state: 'finished', endedAt: '2025-11-23T01:03:00.000Z', problems: [] }

/** A copy without its journal. */
function withoutJournal({ journal: _journal, ...record }: DrillRecord): DrillRecord {
  return record
}

const withoutId = () => {
  const { id: _id, ...record } = withoutJournal(sampleRecord())
  return record
}

const withoutRunbook = () => sampleRecord({ runbook: '', journal: sampleJournal({ runbook: '' }) })

const rpo: Rpo = {
  seconds: 0,
  promisedCommits: 9,
  missingCommits: 2,
  discardedCommits: 0,
  walBytes: 0,
  discarded: [],
  undecidedCommits: 0,
  verdict: 'no objective',
}

describe("a drill's verdict", () => {
  it.each<[string, Verdict, string | undefined, DrillRecord]>([
    ['passed with steps', 'passed', undefined, sampleRecord()],
    ['failed by a failure', 'failed', undefined, sampleRecord({ state: 'failed', errors: [failure] })],
    [
      'failed by an assertion',
      'failed',
      undefined,
      sampleRecord({ state: 'failed', errors: [{ name: 'AssertionError', message: 'x' }] }),
    ],
    ['failed, and its clean-up too', 'failed', undefined, sampleRecord({ state: 'failed', errors: [crash, failure] })],
    [
      'failed before its journal was there',
      'failed',
      undefined,
      withoutJournal(sampleRecord({ state: 'failed', errors: [failure] })),
    ],
    [
      'crashed',
      'unknown',
      'the check itself did not work: x is undefined',
      sampleRecord({ state: 'failed', errors: [crash] }),
    ],
    ['failed without an error', 'unknown', 'it failed without an error', sampleRecord({ state: 'failed' })],
    ['skipped with a reason', 'not exercised', 'no Docker', sampleRecord({ state: 'skipped', note: 'no Docker' })],
    ['skipped without one', 'unknown', 'it was skipped without a reason', sampleRecord({ state: 'skipped' })],
    [
      'skipped with a blank one',
      'unknown',
      'it was skipped without a reason',
      sampleRecord({ state: 'skipped', note: ' ' }),
    ],
    [
      'skipped by the cancellation',
      'unknown',
      'the run was cut off',
      sampleRecord({ state: 'skipped', note: 'aborted', cancelled: true }),
    ],
    [
      'broken by the cancellation',
      'unknown',
      'the run was cut off',
      sampleRecord({ state: 'failed', errors: [failure], cancelled: true }),
    ],
    ['passed in spite of the cancellation', 'passed', undefined, sampleRecord({ cancelled: true })],
    ['never ended', 'unknown', 'it did not end', sampleRecord({ state: 'pending' })],
    ['without a journal', 'unknown', 'it has no journal', withoutJournal(sampleRecord())],
    ['without an id', 'unknown', 'it has no id of a scenario in its metadata', withoutId()],
    ['without a section', 'unknown', 'it does not say which section of the runbook it drills', withoutRunbook()],
    [
      'passed without a step',
      'unknown',
      'it passed without a single step',
      sampleRecord({ journal: sampleJournal({ steps: [] }) }),
    ],
    [
      'passed when tried again',
      'unknown',
      'it is declared to fail, or passed only after it had failed',
      sampleRecord({ passDoubted: true }),
    ],
    [
      'passed although a step inside a step failed',
      'failed',
      undefined,
      sampleRecord({ journal: sampleJournal({ steps: [sampleStep({ steps: [sampleStep({ verdict: 'failed' })] })] }) }),
    ],
    [
      'passed although a step never ended',
      'unknown',
      'the step "Take a base backup" has no outcome',
      sampleRecord({ journal: sampleJournal({ steps: [sampleStep({ verdict: 'unknown' })] }) }),
    ],
    [
      'passed although promised commits are missing',
      'failed',
      undefined,
      sampleRecord({ journal: sampleJournal({ rpo }) }),
    ],
    [
      'passed although a failure was noted',
      'failed',
      undefined,
      sampleRecord({ journal: sampleJournal({ problems: [{ kind: 'log-line-unexpected', message: 'PANIC' }] }) }),
    ],
    [
      'passed although its clean-up was noted to have failed',
      'unknown',
      'the check itself did not work: the volume is still there',
      sampleRecord({ journal: sampleJournal({ problems: [{ kind: 'Error', message: 'the volume is still there' }] }) }),
    ],
    [
      'skipped after a step had failed',
      'failed',
      undefined,
      sampleRecord({
        state: 'skipped',
        note: 'enough',
        journal: sampleJournal({ steps: [sampleStep({ verdict: 'failed' })] }),
      }),
    ],
  ])('%s: %s', (_what, verdict, reason, record) => {
    const drill = buildDrill(record, sampleFacts)
    expect({ verdict: drill.verdict, reason: drill.reason }).toEqual({ verdict, reason })
  })

  it.each([{ state: 'skipped', note: 'aborted', cancelled: true } as const, { state: 'pending' } as const])(
    'does not say of a drill that was cut off in a step that it went on: $state',
    record => {
      const journal = sampleJournal({ steps: [sampleStep({ verdict: 'failed' })] })
      expect(buildDrill(sampleRecord({ ...record, journal }), sampleFacts)).toMatchObject({
        verdict: 'unknown',
        problems: [],
      })
    },
  )

  it('is unknown, with the reason, when the journal is not what evidence can hold', () => {
    const journal = { ...sampleJournal(), sizes: { rows: -1 } }
    expect(buildDrill(sampleRecord({ journal }), sampleFacts)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('sizes.rows'),
      steps: [],
    })
  })

  it('lists once an error that was told of twice', () => {
    expect(buildDrill(sampleRecord({ state: 'failed', errors: [crash, crash] }), sampleFacts).problems).toHaveLength(1)
  })

  it('lists once an error that the journal had noted before it was thrown on', () => {
    const journal = sampleJournal({ problems: [{ kind: 'rows-missing', message: '3 rows are missing' }] })
    expect(
      buildDrill(sampleRecord({ state: 'failed', errors: [failure], journal }), sampleFacts).problems,
    ).toHaveLength(1)
  })
})

describe("a run's verdict", () => {
  const passed = sampleRecord()
  const failed = sampleRecord({ state: 'failed', errors: [failure] })
  const crashed = sampleRecord({ state: 'failed', errors: [crash] })
  const skipped = sampleRecord({
    state: 'skipped',
    note: 'no Docker',
    journal: sampleJournal({ id: 'N7' }),
  })
  const lettered = sampleRecord({ journal: sampleJournal({ id: 'P13z' }) })
  const leftover = { ...finished, problems: [{ kind: 'leftover', message: 'a process' }] }

  it.each<[string, Verdict, DrillRecord[], RunProgress, string[]]>([
    ['all passed', 'passed', [passed, sampleRecord({ id: 'R1', journal: sampleJournal({ id: 'R1' }) })], finished, []],
    ['two of one id', 'unknown', [passed, passed], finished, []],
    ['one not exercised', 'passed', [passed, skipped], finished, []],
    ['one failed', 'failed', [passed, failed, crashed], leftover, []],
    ['one unknown', 'unknown', [passed, crashed], finished, []],
    ['a problem outside any drill', 'unknown', [passed], leftover, []],
    ['no drill', 'unknown', [], finished, []],
    ['none exercised', 'unknown', [skipped], finished, []],
    ['cut off', 'unknown', [passed], { ...finished, state: 'interrupted' }, []],
    ['still running', 'unknown', [passed], { state: 'running', problems: [] }, []],
    ['the one not exercised is required', 'failed', [passed, skipped], finished, ['N7']],
    ['its capability is required', 'failed', [passed, skipped], finished, ['fullArchive']],
    ['what is required was exercised', 'passed', [passed, skipped], finished, ['P1', 'docker']],
    ['so was a drill with a letter in its id', 'passed', [lettered], finished, ['P13z']],
    ['a capability is required that the runtime lacks', 'failed', [passed], finished, ['networkCut']],
    ['a drill is required that is not part of the run', 'failed', [passed], finished, ['P9']],
  ])('%s: %s', (_what, verdict, records, progress, require) => {
    const { run } = buildEvidence({ ...sampleFacts, require }, records, progress)
    expect(run.verdict).toBe(verdict)
  })

  const verdicts = fc.constantFrom<Verdict>('passed', 'failed', 'unknown', 'not exercised')
  const journals: fc.Arbitrary<JournalRecord> = fc
    .record({
      id: fc.constantFrom('P1', 'N1', ''),
      runbook: fc.constantFrom('3', ''),
      steps: fc.array(
        verdicts.map(verdict => sampleStep({ verdict })),
        { maxLength: 3 },
      ),
      problems: fc.array(fc.constantFrom({ kind: 'rows-missing', message: 'x' }, { kind: 'Error', message: 'y' }), {
        maxLength: 1,
      }),
    })
    .map(sampleJournal)
  const records: fc.Arbitrary<DrillRecord> = fc.record(
    {
      title: fc.string(),
      file: fc.string(),
      tags: fc.constant([]),
      journal: journals,
      state: fc.constantFrom('passed', 'failed', 'skipped', 'pending'),
      note: fc.constantFrom('', 'no Docker'),
      errors: fc.array(fc.constantFrom(failure, crash), { maxLength: 2 }),
      cancelled: fc.boolean(),
      passDoubted: fc.boolean(),
      durationSeconds: fc.nat(),
    },
    { requiredKeys: ['title', 'file', 'tags', 'state', 'errors', 'cancelled', 'passDoubted', 'durationSeconds'] },
  )
  const progresses: fc.Arbitrary<RunProgress> = fc.record({
    state: fc.constantFrom('running', 'finished', 'interrupted'),
    problems: fc.array(fc.constant({ kind: 'leftover', message: 'a process' }), { maxLength: 1 }),
  })

  it('is never passed unless every drill passed or was not exercised, and one passed', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(records, fc.constant(passed)), { maxLength: 4 }),
        progresses,
        (drills, progress) => {
          const evidence = buildEvidence(sampleFacts, drills, progress)
          expect(evidenceSchema.safeParse(evidence).error).toBeUndefined()
          expect(evidence.drills).toHaveLength(drills.length)
          if (evidence.run.verdict !== 'passed') return
          expect(progress).toEqual({ state: 'finished', problems: [] })
          expect(drills.some(({ state }) => state === 'passed')).toBe(true)
          for (const { state, errors, note, journal } of drills) {
            expect(errors).toEqual([])
            expect(journal?.problems).toEqual([])
            expect(state === 'passed' || (state === 'skipped' && Boolean(note))).toBe(true)
            if (state === 'passed') expect(journal?.steps.length).toBeGreaterThan(0)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a shard', () => {
  const shard = { ...sampleFacts, shard: { index: 1, count: 2 } }
  const skipped = sampleRecord({ state: 'skipped', note: 'no Docker' })
  it.each([
    ['to which no drill falls', []],
    ['of whose drills none could be exercised', [skipped]],
  ])('%s has exercised nothing, and nothing is wrong with it', (_, records) => {
    const { run } = buildEvidence(shard, records, finished)
    expect([run.verdict, run.problems]).toEqual(['not exercised', []])
    expect(buildEvidence(sampleFacts, records, finished).run.verdict).toBe('unknown')
  })

  it('is judged by its own drills, and by what is wrong with it', () => {
    expect(buildEvidence(shard, [sampleRecord()], finished).run.verdict).toBe('passed')
    expect(buildEvidence(shard, [sampleRecord({ state: 'failed', errors: [failure] })], finished).run.verdict).toBe(
      'failed',
    )
    const leak = { kind: 'left-behind', message: 'a volume' }
    expect(buildEvidence(shard, [], { ...finished, problems: [leak] }).run.verdict).toBe('unknown')
    expect(buildEvidence(shard, [], { ...finished, state: 'interrupted' }).run.verdict).toBe('unknown')
  })
})

describe('the evidence', () => {
  it('holds no secret, wherever a drill or the run put it', () => {
    const secret = 'canary-S3cr3t'
    const facts = { ...sampleFacts, config: { DRILL_IMAGE: secret }, secrets: [secret] }
    const record = sampleRecord({
      title: `with ${secret}`,
      state: 'failed',
      errors: [{ ...failure, message: `password ${secret}`, evidence: { log: [secret] }, stack: `    at ${secret}` }],
      journal: sampleJournal({
        steps: [sampleStep({ title: secret, observations: { url: `postgres://u:${secret}@h` } })],
      }),
    })
    const progress = { ...finished, problems: [{ kind: 'Error', message: secret }] }
    expect(JSON.stringify(buildEvidence(facts, [record], progress))).not.toContain(secret)
  })

  it('lists drills by their ids, and a problem that every file met once', () => {
    const drills = ['P10', 'N1', 'P2'].map(id => sampleRecord({ journal: sampleJournal({ id }) }))
    const problem = { kind: 'Error', message: 'no such tag' }
    const evidence = buildEvidence(sampleFacts, drills, { ...finished, problems: [problem, problem] })
    expect(evidence.drills.map(({ id }) => id)).toEqual(['N1', 'P2', 'P10'])
    expect(evidence.run.problems).toEqual([problem])
  })
})
