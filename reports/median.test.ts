import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median } from './median.ts'

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
