import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RecoveryTime } from './recovery-time.ts'

function measured(steps: number[], objectiveSeconds?: number) {
  let nowMs = 1_000
  const time = new RecoveryTime(() => nowMs)
  for (const [index, ms] of steps.entries()) {
    nowMs += ms
    time.ended(`phase ${index}`)
  }
  return time.measured(objectiveSeconds)
}

test('phases add up to the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000_000), { minLength: 1 }), steps => {
      const { seconds, phases } = measured(steps)
      expect(phases).toHaveLength(steps.length)
      expect(phases.reduce((sum, phase) => sum + phase.seconds, 0)).toBeCloseTo(seconds, 6)
      expect(seconds).toBeCloseTo(steps.reduce((sum, ms) => sum + ms, 0) / 1000, 6)
    }),
  )
})

test('a phase whose end was seen before the one it follows takes no time, and the next one begins where that ended', () => {
  let nowMs = 0
  const time = new RecoveryTime(() => nowMs)
  nowMs = 500
  time.ended('restored')
  time.ended('seen earlier', 400)
  nowMs = 700
  time.ended('healthy')
  expect(time.measured().phases.map(({ seconds }) => seconds)).toEqual([0.5, 0, 0.2])
})

test.each([
  [undefined, 'no objective'],
  [2, 'met at this size'],
  [1.5, 'met at this size'],
  [1.499, 'missed'],
  [0, 'missed'],
] as const)('against an objective of %s s, 1.5 s are: %s', (objectiveSeconds, verdict) => {
  expect(measured([1000, 500], objectiveSeconds).verdict).toBe(verdict)
})
