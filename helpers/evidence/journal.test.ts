import { AssertionError } from 'node:assert'
import { EventEmitter, once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { CannotRun, Failure } from '../failure.ts'
import { Journal, verdictOf } from './journal.ts'

const P1 = { id: 'P1', runbook: '3' }

/** A promise that is resolved from outside. */
function deferred(): { promise: Promise<unknown>; resolve: () => void } {
  const gate = new EventEmitter()
  return { promise: once(gate, 'open'), resolve: () => gate.emit('open') }
}

describe('the steps of a journal', () => {
  test('stand in the order they were begun, nested as they ran, with times and verdicts', async () => {
    const journal = new Journal(P1)
    const value = await journal.step('Restore', async () => {
      await journal.step('Unpack', () => undefined)
      return await journal.step('Configure', async () => 7)
    })
    await journal.step('Promote', () => undefined)
    expect(value).toBe(7)
    const [restore, promote] = journal.record.steps
    expect([restore?.title, promote?.title]).toEqual(['Restore', 'Promote'])
    expect(restore?.steps.map(step => [step.title, step.verdict])).toEqual([
      ['Unpack', 'passed'],
      ['Configure', 'passed'],
    ])
    expect(restore?.durationSeconds).toBeGreaterThanOrEqual(0)
    expect(restore?.durationSeconds).toBeLessThan(5)
    expect(new Date(restore?.startedAt ?? '').toISOString()).toBe(restore?.startedAt)
  })

  test('are told to a listener as they end, inner ones first, with their depth', async () => {
    const seen: [string, string, number][] = []
    const journal = new Journal(P1, (step, depth) => seen.push([step.title, step.verdict, depth]))
    await journal
      .step('Restore', async () => {
        await journal.step('Unpack', () => undefined)
        await journal.step('Check', () => Promise.reject(new Failure('file-missing', 'no')))
      })
      .catch(() => undefined)
    expect(seen).toEqual([
      ['Unpack', 'passed', 1],
      ['Check', 'failed', 1],
      ['Restore', 'failed', 0],
    ])
  })

  test('are failed by a proof that did not hold and unknown after any other error, which goes on unchanged', async () => {
    const journal = new Journal(P1)
    const failure = new Failure('target-not-reached', 'no')
    const crash = new TypeError('no')
    await expect(journal.step('Proof', () => Promise.reject(failure))).rejects.toBe(failure)
    await expect(
      journal.step('Crash', () => {
        throw crash
      }),
    ).rejects.toBe(crash)
    expect(journal.record.steps.map(step => step.verdict)).toEqual(['failed', 'unknown'])
  })

  test('are passed when what failed within them was expected to', async () => {
    const journal = new Journal(P1)
    await journal.step('Recovery refuses', () =>
      journal.step('Recover', () => Promise.reject(new Failure('x', 'x'))).catch(() => undefined),
    )
    expect(journal.record.steps.map(step => [step.verdict, step.steps.map(one => one.verdict)])).toEqual([
      ['passed', ['failed']],
    ])
  })

  test('are unknown for as long as they run', async () => {
    const journal = new Journal(P1)
    const hold = deferred()
    const step = journal.step('Replay', () => hold.promise)
    expect(journal.record.steps.map(one => one.verdict)).toEqual(['unknown'])
    hold.resolve()
    await step
    expect(journal.record.steps.map(one => one.verdict)).toEqual(['passed'])
  })

  test('stand in the step whose code began them, with what was seen, when several run side by side', async () => {
    const journal = new Journal(P1)
    const [first, second] = [deferred(), deferred()]
    const restoreTo = (where: string, hold: Promise<unknown>) =>
      journal.step(where, async () => {
        await hold
        await journal.step(`Promote ${where}`, () => undefined)
        journal.observe({ where })
      })
    await journal.step('Restore twice', async () => {
      const both = [restoreTo('here', first.promise), restoreTo('there', second.promise)]
      second.resolve()
      await both[1]
      first.resolve()
      await both[0]
    })
    await journal.step('After', () => undefined)
    expect(journal.record.steps.map(step => step.title)).toEqual(['Restore twice', 'After'])
    expect(
      journal.record.steps[0]?.steps.map(({ title, observations, steps }) => [
        title,
        observations,
        steps.map(one => one.title),
      ]),
    ).toEqual([
      ['here', { where: 'here' }, ['Promote here']],
      ['there', { where: 'there' }, ['Promote there']],
    ])
  })
})

describe('what a journal holds besides', () => {
  test('is plain data, and there from the first moment', () => {
    const record = new Journal(P1).record
    expect(record).toEqual({
      ...P1,
      startedAt: expect.any(String),
      steps: [],
      proofs: [],
      kept: [],
      sizes: {},
      deviations: [],
      attached: [],
      problems: [],
    })
    expect(JSON.parse(JSON.stringify(record))).toEqual(record)
  })

  test('are observations, with the step that was open, or else the last one', async () => {
    const journal = new Journal(P1)
    expect(() => journal.observe({ early: true })).toThrow('before the first step')
    await journal.step('Outer', async () => {
      journal.observe({ a: 1 })
      await journal.step('Inner', () => journal.observe({ b: 2 }))
      journal.observe({ a: 3, c: 4 })
    })
    journal.observe({ d: 5 })
    expect(journal.record.steps[0]?.observations).toEqual({ a: 3, c: 4, d: 5 })
    expect(journal.record.steps[0]?.steps[0]?.observations).toEqual({ b: 2 })
  })

  test('are deviations and sizes', () => {
    const journal = new Journal(P1)
    const deviation = {
      section: '3.4',
      what: 'a target was set',
      why: 'there is none',
      proposedText: 'recovery_target_lsn = …',
    }
    journal.deviate(deviation)
    journal.measure({ rows: 1, databaseBytes: 2 })
    journal.measure({ rows: 3 })
    expect(journal.record).toMatchObject({ deviations: [deviation], sizes: { rows: 3, databaseBytes: 2 } })
  })
})

describe('the verdict on an error', () => {
  test.each([
    ['a failure', new Failure('rows-missing', 'x'), 'failed'],
    ["Node's assertion", new AssertionError({ message: 'x' }), 'failed'],
    ['a crash', new TypeError('x'), 'unknown'],
    ['a suite that cannot run', new CannotRun('x'), 'unknown'],
    ['what is no error at all', 'x', 'unknown'],
    ['nothing', undefined, 'unknown'],
  ])('that is %s', (_, error, verdict) => {
    expect(verdictOf(error)).toBe(verdict)
  })

  test('that is an assertion of the test runner is failed', () => {
    let thrown: unknown
    try {
      expect(1).toBe(2)
    } catch (error) {
      thrown = error
    }
    expect(verdictOf(thrown)).toBe('failed')
  })
})
