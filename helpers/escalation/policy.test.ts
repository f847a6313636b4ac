import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EscalationPolicy } from './policy.ts'
import type { Finding } from './signal.ts'

const missing = (blocks: string, sentence = 'a segment is missing'): Finding => ({
  name: 'missing-archive-segment',
  blocks,
  sentence,
})

describe('the escalation policy', () => {
  it('goes from pending to firing once the window has passed, and to quiet when the condition has gone', () => {
    const policy = new EscalationPolicy({ windowSeconds: 10 })
    const finding = missing('the target')
    expect(policy.observe([], 0)).toEqual([])
    expect(policy.observe([finding], 1)).toEqual([{ state: 'pending', finding, sinceSeconds: 1 }])
    expect(policy.observe([finding], 11)).toEqual([{ state: 'pending', finding, sinceSeconds: 1 }])
    const firing = { state: 'firing', finding, sinceSeconds: 1, firedAtSeconds: 12, latencySeconds: 11 }
    expect(policy.observe([finding], 12)).toEqual([firing])
    expect(policy.observe([finding], 99)).toEqual([firing])
    expect(policy.observe([], 100)).toEqual([{ state: 'quiet', finding, clearedAtSeconds: 100 }])
    expect(policy.observe([], 101)).toEqual([])
    expect(policy.observe([finding], 102)).toEqual([{ state: 'pending', finding, sinceSeconds: 102 }])
  })

  it('keeps a condition whose details change, and shows the newest', () => {
    const policy = new EscalationPolicy({ windowSeconds: 10 })
    policy.observe([missing('the target', 'one segment')], 0)
    const [signal] = policy.observe([missing('the target', 'two segments')], 11)
    expect(signal).toMatchObject({ state: 'firing', sinceSeconds: 0, finding: { sentence: 'two segments' } })
  })

  it('keeps apart what blocks different things, and signals of different names', () => {
    const policy = new EscalationPolicy({ windowSeconds: 10 })
    policy.observe([missing('the target')], 0)
    const stall: Finding = { name: 'recovery-stall', blocks: 'the target', sentence: 'stalled' }
    expect(
      policy.observe([missing('the target'), missing('the backup'), stall], 11).map(signal => signal.state),
    ).toEqual(['firing', 'pending', 'pending'])
  })

  it('does not fire at a single observation, even without a window', () => {
    const policy = new EscalationPolicy({ windowSeconds: 0 })
    expect(policy.observe([missing('x')], 5)).toMatchObject([{ state: 'pending' }])
    expect(policy.observe([missing('x')], 5)).toMatchObject([{ state: 'pending' }])
    expect(policy.observe([missing('x')], 5.001)).toMatchObject([{ state: 'firing' }])
  })

  it('refuses a clock that goes backwards, and forgets nothing over it', () => {
    const policy = new EscalationPolicy({ windowSeconds: 10 })
    policy.observe([missing('x')], 5)
    expect(() => policy.observe([], 4)).toThrow(RangeError)
    expect(() => policy.observe([], Number.NaN)).toThrow(RangeError)
    expect(policy.observe([missing('x')], 16)).toMatchObject([{ state: 'firing', sinceSeconds: 5 }])
  })

  it('refuses a window that is none, and two findings of one condition', () => {
    expect(() => new EscalationPolicy({ windowSeconds: -1 })).toThrow(RangeError)
    expect(() => new EscalationPolicy({ windowSeconds: Number.NaN })).toThrow(RangeError)
    expect(() => new EscalationPolicy({ windowSeconds: 1 }).observe([missing('x'), missing('x', 'again')], 0)).toThrow(
      RangeError,
    )
  })
})

describe('on any course of events', () => {
  const course = fc.record({
    windowSeconds: fc.integer({ min: 0, max: 20 }),
    observations: fc.array(
      fc.record({
        afterSeconds: fc.integer({ min: 0, max: 8 }),
        isPresent: fc.constantFrom(true, true, true, false),
        blocks: fc.constantFrom('a', 'a', 'a', 'b'),
      }),
    ),
  })

  it('fires at the first observation past the window without an absence, never before, and once', () => {
    fc.assert(
      fc.property(course, ({ windowSeconds, observations }) => {
        const policy = new EscalationPolicy({ windowSeconds })
        let now = 0
        let since: number | undefined
        let fired: number | undefined
        for (const { afterSeconds, isPresent, blocks } of observations) {
          now += afterSeconds
          const findings = isPresent
            ? [missing('a'), ...(blocks === 'b' ? [missing('b')] : [])]
            : blocks === 'b'
              ? [missing('b')]
              : []
          const signal = policy.observe(findings, now).find(one => one.finding.blocks === 'a')
          if (!isPresent) {
            expect(signal?.state).toBe(since === undefined ? undefined : 'quiet')
            since = fired = undefined
            continue
          }
          since ??= now
          if (now - since > windowSeconds) fired ??= now
          expect(signal).toMatchObject(
            fired === undefined
              ? { state: 'pending', sinceSeconds: since }
              : { state: 'firing', sinceSeconds: since, firedAtSeconds: fired, latencySeconds: fired - since },
          )
        }
      }),
      { numRuns: 500 },
    )
  })
})
