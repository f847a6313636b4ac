import { describe, expect, test, vi } from 'vitest'
import { Failure } from './failure.ts'
import { waitFor } from './wait.ts'

vi.mock(import('./deadlines.ts'), async original => {
  const { deadlinesMs } = await original()
  return { deadlinesMs: { ...deadlinesMs, signal: 30 as typeof deadlinesMs.signal } }
})

/** Gives each in turn, then the last for ever. */
function answers<T>(...values: T[]): () => T {
  let count = 0
  return () => values[Math.min(count++, values.length - 1)] as T
}

describe('waiting for a fact', () => {
  test('gives the first answer that is not undefined', async () => {
    expect(await waitFor('it', 'serverReady', answers(undefined, undefined, 7, 8))).toBe(7)
  })

  test.each([false, null, 0, ''])('takes %j for an answer', async answer => {
    expect(await waitFor('it', 'signal', () => answer)).toBe(answer)
  })

  test('takes an answer that is there at the first look without waiting', async () => {
    const look = vi.fn(() => Promise.resolve('there'))
    expect(await waitFor('it', 'signal', look)).toBe('there')
    expect(look).toHaveBeenCalledTimes(1)
  })

  test('passes on at once what a look throws', async () => {
    const error = new Error('connection refused')
    await expect(waitFor('it', 'serverReady', () => Promise.reject(error))).rejects.toBe(error)
  })

  test('fails at its deadline with what it waited for and the last state seen', async () => {
    const failure = await waitFor('the signal to fire', 'signal', () => undefined, answers('pending', 'quiet')).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({
      kind: 'deadline-passed',
      message: 'waited 0.03 s for the signal to fire; last seen: pending',
      evidence: { what: 'the signal to fire', deadline: 'signal', timeoutMs: 30, lastSeen: 'pending' },
    })
  })

  test('fails at its deadline although a look hangs', async () => {
    await expect(waitFor('it', 'signal', () => new Promise(() => undefined))).rejects.toThrow('waited 0.03 s for it')
  })

  test('has its deadline moved by what the user set', async () => {
    const startedAt = performance.now()
    const look = () => (performance.now() - startedAt > 45 ? 'late' : undefined)
    expect(await waitFor('it', 'signal', look, undefined, 1000)).toBe('late')
  })
})
