import { describe, expect, it, vi } from 'vitest'
import { EscalationPolicy } from './policy.ts'
import type { Finding } from './signal.ts'
import { EscalationWatch } from './watch.ts'

vi.mock('../deadlines.ts', () => ({ deadlinesMs: { signal: 30 } }))

const missing: Finding = { name: 'missing-archive-segment', blocks: 'the target', sentence: 'segment 5 is missing' }
const stall: Finding = { name: 'recovery-stall', blocks: 'the target', sentence: 'no progress' }

/** A clock that goes on by a second with every sample. */
function watching(observe: () => Promise<readonly Finding[]>, windowSeconds = 3) {
  let seconds = 0
  return new EscalationWatch({ observe, policy: new EscalationPolicy({ windowSeconds }), clock: () => ++seconds })
}

describe('an escalation watch', () => {
  it('samples until the signal fires and until it is quiet, and keeps when its state changed', async () => {
    let findings: Finding[] = []
    const watch = watching(async () => findings)
    await watch.until('quiet', 'missing-archive-segment')
    expect(watch.history).toEqual([])
    findings = [missing]
    expect(await watch.until('firing', 'missing-archive-segment')).toEqual([
      { state: 'firing', finding: missing, sinceSeconds: 2, firedAtSeconds: 6, latencySeconds: 4 },
    ])
    await watch.sample()
    findings = []
    await watch.until('quiet', 'missing-archive-segment')
    findings = [missing]
    await watch.sample()
    expect(watch.history.map(({ atSeconds, state }) => [atSeconds, state])).toEqual([
      [2, 'pending'],
      [6, 'firing'],
      [11, 'quiet'],
      [12, 'pending'],
    ])
  })

  it('keeps what each signal did from the first look on, the worst of several conditions', async () => {
    let findings: Finding[] = []
    const watch = watching(async () => findings)
    const course = (name: string) =>
      watch.courses.find(one => one.name === name)?.states.map(({ atSeconds, state }) => [atSeconds, state])
    expect(course('recovery-stall')).toEqual([])
    await watch.sample()
    findings = [missing]
    await watch.until('firing', 'missing-archive-segment')
    findings = [missing, { ...missing, blocks: 'another recovery' }]
    await watch.sample()
    findings = []
    await watch.until('quiet', 'missing-archive-segment')
    expect(course('missing-archive-segment')).toMatchObject([
      [1, 'quiet'],
      [2, 'pending'],
      [6, 'firing'],
      [expect.any(Number), 'quiet'],
    ])
    expect(course('recovery-stall')).toEqual([[1, 'quiet']])
  })

  it('knows how long it had not looked when it looked last', async () => {
    const watch = watching(async () => [])
    await watch.sample()
    expect(watch.intervalSeconds).toBeUndefined()
    await watch.sample()
    expect(watch.intervalSeconds).toBe(1)
  })

  it('does not take another signal for the one that is waited for', async () => {
    const watch = watching(async () => [stall])
    await watch.until('quiet', 'missing-archive-segment')
    expect(await watch.until('firing', 'recovery-stall')).toMatchObject([{ state: 'firing', finding: stall }])
  })

  it('gives up after the deadline and the window, and says what it saw last', async () => {
    const watch = watching(async () => [stall], 0.05)
    const startedAtMs = performance.now()
    await expect(watch.until('firing', 'missing-archive-segment')).rejects.toMatchObject({
      kind: 'deadline-passed',
      message: expect.stringContaining('recovery-stall firing: no progress'),
    })
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(80)
  })

  it('passes on what its observation throws, and forgets nothing over it', async () => {
    let isBroken = false
    const watch = watching(async () => {
      if (isBroken) throw new Error('the archive cannot be listed')
      return [missing]
    })
    await watch.sample()
    isBroken = true
    await expect(watch.sample()).rejects.toThrow('the archive cannot be listed')
    isBroken = false
    expect(await watch.until('firing', 'missing-archive-segment')).toMatchObject([{ sinceSeconds: 1 }])
  })
})
