import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { measureOf, median } from './measures.ts'
import { failedReport } from './sample-report.ts'

const { drills } = failedReport().evidence
const recovery = drills.find(({ id }) => id === 'P1')

describe('measureOf', () => {
  it('finds the worst and the median, and that one drill missed its objective', () => {
    const measure = measureOf(drills, 'rto')
    expect(measure?.worst.drill.id).toBe('P3')
    expect(measure?.medianSeconds).toBeCloseTo(206.54)
    expect(measure?.drills.map(({ id }) => id)).toEqual(['P1', 'P3'])
    expect(measure?.verdict).toBe('missed')
  })

  it('is met where each drill met it, and none where nobody set it or measured it', () => {
    expect(measureOf(drills, 'rpo')?.verdict).toBe('met at this size')
    const unasked = drills.map(drill => ({
      ...drill,
      rpo: recovery?.rpo && { ...recovery.rpo, verdict: 'no objective' as const },
    }))
    expect(measureOf(unasked as typeof drills, 'rpo')?.verdict).toBe('no objective')
    expect(measureOf([], 'rpo')).toBeUndefined()
  })
})

describe('median', () => {
  it('has as many values above it as below, whatever their order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1 }), values => {
        const middle = median(values)
        const half = values.length / 2
        expect(values.filter(value => value < middle).length).toBeLessThanOrEqual(half)
        expect(values.filter(value => value > middle).length).toBeLessThanOrEqual(half)
        expect(median(values.toReversed())).toBe(middle)
      }),
    )
    expect(median([4, 1])).toBe(2.5)
  })

  it('is of something', () => {
    expect(() => median([])).toThrow(RangeError)
  })
})
