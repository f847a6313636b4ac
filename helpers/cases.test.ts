import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runCases } from './cases.ts'
import { Failure } from './failure.ts'

const title = (one: number) => `case ${one}`

describe('cases', () => {
  test('are each run once, never more than two at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(99)), async cases => {
        const ran: number[] = []
        let [now, most] = [0, 0]
        await runCases(cases, title, async one => {
          most = Math.max(most, ++now)
          ran.push(one)
          await turn()
          now--
        })
        expect(ran.toSorted()).toEqual(cases.toSorted())
        expect(most).toBe(Math.min(2, cases.length))
      }),
      { numRuns: 50 },
    )
  })

  test('that fail do not keep the others from being run; a single error goes on unchanged', async () => {
    const ran: number[] = []
    const failure = new Failure('rows-missing', 'two rows')
    const over = runCases([1, 2, 3], title, async one => {
      ran.push(one)
      if (one === 1) throw failure
    })
    await expect(over).rejects.toBe(failure)
    expect(ran).toEqual([1, 2, 3])
  })

  test('that fail together are all named, in the order of the table, with the kind of the first', async () => {
    const over = runCases([1, 2, 3], title, async one => {
      if (one === 1) await turn()
      if (one !== 2) throw new Failure(`kind-${one}`, `message ${one}`, { one })
    })
    await expect(over).rejects.toMatchObject({
      kind: 'kind-1',
      message: '2 of 3 cases: case 1: message 1; case 3: message 3',
      evidence: { one: 1 },
    })
  })

  test('of which one did not prove anything are no failure of what was to be proven', async () => {
    const over = runCases([1, 2], title, async one => {
      throw one === 1 ? new Failure('rows-missing', 'one') : new TypeError('two')
    })
    await expect(over).rejects.toBeInstanceOf(AggregateError)
    await expect(over).rejects.toThrow('2 of 2 cases: case 1: one; case 2: two')
  })
})
