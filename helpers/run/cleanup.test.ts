import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Cleanup } from './cleanup.ts'

const never = () => new Promise(() => undefined)

async function failureOf(cleanup: Cleanup, timeoutMs?: number): Promise<AggregateError | undefined> {
  try {
    await cleanup.run(timeoutMs)
  } catch (error) {
    return error as AggregateError
  }
  return undefined
}

describe('a clean-up', () => {
  test('undoes in reverse, one after the other', async () => {
    const cleanup = new Cleanup()
    const seen: string[] = []
    for (const name of ['volume', 'server', 'application']) {
      cleanup.add(name, async () => {
        seen.push(`${name} begins`)
        await Promise.resolve()
        seen.push(`${name} ends`)
      })
    }
    await cleanup.run()
    expect(seen).toEqual([
      'application begins',
      'application ends',
      'server begins',
      'server ends',
      'volume begins',
      'volume ends',
    ])
  })

  test('undoes everything whatever fails, and reports every failure and no other', async () => {
    const outcome = fc.constantFrom('well', 'throws', 'rejects', 'hangs')
    await fc.assert(
      fc.asyncProperty(fc.array(outcome, { maxLength: 6 }), async outcomes => {
        const cleanup = new Cleanup()
        const undone: number[] = []
        outcomes.forEach((how, index) => {
          cleanup.add(`thing ${index}`, () => {
            undone.push(index)
            if (how === 'throws') throw new Error('no')
            return how === 'rejects' ? Promise.reject(new Error('no')) : how === 'hangs' ? never() : undefined
          })
        })
        const failure = await failureOf(cleanup, 2)
        expect(undone).toEqual(outcomes.map((_, index) => index).reverse())
        const expected = outcomes.flatMap((how, index) => {
          if (how === 'well') return []
          return [`the clean-up of thing ${index} failed: ${how === 'hangs' ? 'not done after 0.002 s' : 'no'}`]
        })
        expect(failure?.errors.map((error: Error) => error.message) ?? []).toEqual(expected.reverse())
      }),
      { numRuns: 40 },
    )
  })

  test('tells in its message what is left, and keeps the causes', async () => {
    const cleanup = new Cleanup()
    const cause = new Error('device busy')
    cleanup.add('volume archive', () => Promise.reject(cause))
    cleanup.add('server primary', () => {
      throw 'gone'
    })
    const failure = await failureOf(cleanup)
    expect(failure?.message).toBe(
      'the clean-up of server primary failed: gone; the clean-up of volume archive failed: device busy',
    )
    expect(failure?.errors[1]).toMatchObject({ cause })
  })

  test('refuses what comes after it has begun, and what its own undoings ask for', async () => {
    const cleanup = new Cleanup()
    cleanup.add('server', () => cleanup.add('another server', never))
    const run = failureOf(cleanup)
    expect(() => cleanup.add('late server', never)).toThrow('late server was asked for after the clean-up had begun')
    expect((await run)?.message).toBe(
      'the clean-up of server failed: another server was asked for after the clean-up had begun',
    )
    expect(() => cleanup.add('later server', never)).toThrow('later server')
  })

  test('does nothing the second time', async () => {
    const cleanup = new Cleanup()
    let count = 0
    cleanup.add('server', () => {
      count++
      throw new Error('no')
    })
    expect(await failureOf(cleanup)).toBeInstanceOf(AggregateError)
    expect(await failureOf(cleanup)).toBeUndefined()
    expect(count).toBe(1)
  })
})
