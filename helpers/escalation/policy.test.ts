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
    expect(policy.observe([], 100)).toEqual([{ ...firing, goneSinceSeconds: 100 }])
    expect(policy.observe([], 110)).toEqual([{ state: 'quiet', finding, clearedAtSeconds: 110 }])
    expect(policy.observe([], 111)).toEqual([])
    expect(policy.observe([finding], 112)).toEqual([{ state: 'pending', finding, sinceSeconds: 112 }])
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

describe('what flaps', () => {
  const finding = missing('the target')
  /** One look a second; `x` where it is found. @returns the state after each. */
  const states = (course: string, windowSeconds: number, name: Finding['name'] = finding.name) => {
    const policy = new EscalationPolicy({ windowSeconds })
    return [...course].map((one, second) => {
      const [signal] = policy.observe(one === 'x' ? [{ ...finding, name }] : [], second)
      return signal?.state === 'firing' && signal.goneSinceSeconds !== undefined ? 'gone' : (signal?.state ?? '-')
    })
  }

  it('fires when it was there for a window longer than it was gone', () => {
    // There for 2, gone for 0 (the time of a change counts for neither), there for 2 more.
    expect(states('xxx.xxx', 3)).toEqual(['pending', 'pending', 'pending', 'quiet', 'pending', 'pending', 'firing'])
    expect(states('xxx..xxx', 3).at(-1)).toBe('pending')
    expect(states('xxx..xxxx', 3).at(-1)).toBe('firing')
  })

  it('clears when it was gone for as long as the window, and needs a window more to fire again', () => {
    expect(states('xxx....', 1)).toEqual(['pending', 'pending', 'firing', 'gone', 'quiet', '-', '-'])
    expect(states('xxxxx....', 3)).toEqual([
      'pending',
      'pending',
      'pending',
      'pending',
      'firing',
      'gone',
      'gone',
      'gone',
      'quiet',
    ])
    expect(states('xxxx...xxxx', 2).slice(-6)).toEqual(['gone', 'quiet', 'pending', 'pending', 'pending', 'firing'])
  })

  it('goes on firing while it comes and goes', () => {
    expect(new Set(states(`xxxx${'.x..xx'.repeat(20)}`, 2).slice(3))).toEqual(new Set(['firing', 'gone']))
  })

  it('does not fire while it changes with every look, or is gone for longer than it is there', () => {
    expect(states('x.'.repeat(100), 2)).not.toContain('firing')
    expect(states('xx...'.repeat(100), 2)).not.toContain('firing')
  })

  it('is over at once, where it is a standstill and something has moved', () => {
    for (const name of ['wal-growth-without-archiving', 'recovery-stall'] as const) {
      expect(states('xxxxx.x', 3, name).slice(-3)).toEqual(['firing', 'quiet', 'pending'])
      expect(states('xxx.'.repeat(100), 3, name)).not.toContain('firing')
    }
  })

  it('is told as it was last found, and since when it is gone', () => {
    const policy = new EscalationPolicy({ windowSeconds: 2 })
    policy.observe([finding], 0)
    policy.observe([missing('the target', 'as it was')], 3)
    const firing = { state: 'firing', sinceSeconds: 0, firedAtSeconds: 3, latencySeconds: 3 }
    const gone = { ...firing, finding: missing('the target', 'as it was'), goneSinceSeconds: 4 }
    expect(policy.observe([], 4)).toEqual([gone])
    expect(policy.observe([], 5)).toEqual([gone])
    expect(policy.observe([finding], 5.5)).toEqual([{ ...firing, finding }])
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
  const standingStill = (blocks: string): Finding => ({ ...missing(blocks), name: 'wal-growth-without-archiving' })

  it('a standstill fires at the first observation past the window without an absence, never before, and once', () => {
    fc.assert(
      fc.property(course, ({ windowSeconds, observations }) => {
        const policy = new EscalationPolicy({ windowSeconds })
        let now = 0
        let since: number | undefined
        let fired: number | undefined
        for (const { afterSeconds, isPresent, blocks } of observations) {
          now += afterSeconds
          const findings = [...(isPresent ? ['a'] : []), ...(blocks === 'b' ? ['b'] : [])].map(standingStill)
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

  /** Spells of being there and of being gone, each looked at several times. */
  const flapping = fc.record({
    windowSeconds: fc.integer({ min: 0, max: 20 }),
    spells: fc.array(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 12 }), { maxLength: 12 }),
  })

  it('any other fires and clears as one says who counts the seconds one by one', () => {
    fc.assert(
      fc.property(flapping, ({ windowSeconds, spells }) => {
        const policy = new EscalationPolicy({ windowSeconds })
        let now = 0
        let level = 0
        let wasThere: boolean | undefined
        let isFiring = false
        let thereInAll = 0
        let changedAt = Number.NEGATIVE_INFINITY
        for (const [index, looks] of spells.entries()) {
          const isThere = index % 2 === 0
          for (const afterSeconds of looks) {
            now += afterSeconds
            const wasFiring: boolean = isFiring
            for (let second = 0; second < afterSeconds && wasThere === isThere; second++) {
              level += isThere ? 1 : -1
              thereInAll += isThere ? 1 : 0
              if (level > windowSeconds) isFiring = true
              if (isFiring && level > windowSeconds) level = windowSeconds
              if (level < 0) level = 0
            }
            if (!isThere && level === 0) isFiring = false
            wasThere = isThere
            const [signal] = policy.observe(isThere ? [missing('a')] : [], now)
            expect(signal?.state === 'firing').toBe(isFiring)
            if (isThere) expect(signal?.state).toBe(isFiring ? 'firing' : 'pending')
            if (!isThere && wasFiring && !isFiring) expect(signal?.state).toBe('quiet')
            // Never for less than the window in all.
            if (isFiring) expect(thereInAll).toBeGreaterThan(windowSeconds)
            // Never to and fro within less than the window.
            if (isFiring !== wasFiring) {
              expect(now - changedAt).toBeGreaterThanOrEqual(windowSeconds)
              changedAt = now
            }
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('what is there for longer than it is gone fires at last, and is over one window after it has gone for good', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 10 }),
        (windowSeconds, gone, more) => {
          const policy = new EscalationPolicy({ windowSeconds })
          let now = 0
          const look = (isThere: boolean) => policy.observe(isThere ? [missing('a')] : [], now++)[0]?.state
          let hasFired = false
          for (let period = 0; period <= windowSeconds + 1 && !hasFired; period++) {
            for (let second = 0; second <= gone + more; second++) hasFired = look(true) === 'firing' || hasFired
            for (let second = 0; second <= gone && !hasFired; second++) look(false)
          }
          expect(hasFired).toBe(true)
          const goneFrom = now
          while (look(false) !== 'quiet');
          expect(now - 1 - goneFrom).toBe(windowSeconds)
        },
      ),
    )
  })
})
