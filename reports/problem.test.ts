import { describe, expect, it } from 'vitest'
import { fromError, fromNote } from './problem.ts'

describe('fromError', () => {
  it('takes the kind and the evidence of a failure, which is a proof that did not hold', () => {
    const error = { name: 'Failure', kind: 'rows-missing', message: '3 rows are missing', evidence: { missing: 3 } }
    expect(fromError(error)).toEqual({
      problem: { kind: 'rows-missing', message: '3 rows are missing', evidence: { missing: 3 } },
      verdict: 'failed',
    })
  })

  it('takes the difference that an assertion shows, without colours', () => {
    const error = {
      name: 'AssertionError',
      message: 'expected 1 to be 2',
      diff: '\u001b[32m- 2\u001b[39m\n+ 1',
      expected: '2',
      actual: '1',
    }
    expect(fromError(error)).toEqual({
      problem: { kind: 'AssertionError', message: 'expected 1 to be 2', evidence: { diff: '- 2\n+ 1' } },
      verdict: 'failed',
    })
  })

  it.each([
    ['TypeError', { name: 'TypeError', message: 'x is undefined' }],
    ['Error', { name: 'Error', message: 'Test timed out in 1500ms.' }],
    ['DatabaseError', { name: 'error', constructor: 'Function<DatabaseError>', message: 'out of memory' }],
    ['CannotRun', { name: 'CannotRun', message: 'the disk is full' }],
    ['Error', { message: 'a thrown text' }],
  ])('calls what is no proof by its class: %s', (kind, error) => {
    expect(fromError(error)).toMatchObject({ problem: { kind }, verdict: 'unknown' })
  })

  it('keeps the code of PostgreSQL and of Node', () => {
    expect(fromError({ name: 'error', message: 'starting up', code: '57P03' }).problem.evidence).toEqual({
      code: '57P03',
    })
  })

  it('names the causes', () => {
    const cause = { name: 'TypeError', message: 'inner', cause: { name: 'Error', message: 'innermost' } }
    expect(fromError({ name: 'Error', message: 'outer', cause }).problem.message).toBe(
      'outer\ncaused by TypeError: inner\ncaused by Error: innermost',
    )
  })

  it('keeps the frames that are ours', () => {
    const stack =
      'Error: x\n    at ours (/suite/drills/a.spec.ts:1:2)\n    at file:///suite/node_modules/vitest/x.js:1:1\n    at node:internal:1'
    expect(fromError({ name: 'Error', message: 'x', stack }).problem.stack).toBe(
      'at ours (/suite/drills/a.spec.ts:1:2)',
    )
  })
})

describe('fromNote', () => {
  it.each([
    ['rows-missing', 'failed'],
    ['AssertionError', 'failed'],
    ['TypeError', 'unknown'],
    ['Error', 'unknown'],
  ])('tells the kind of a failure from the class of an error: %s', (kind, verdict) => {
    expect(fromNote({ kind, message: '' }).verdict).toBe(verdict)
  })
})
