import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationText, lsnNumber, lsnText, momentText } from './numbers.ts'

describe('durationText', () => {
  it.each([
    [0, '0.00 s'],
    [1.084, '1.08 s'],
    [59.6, '1 min'],
    [115, '1 min 55 s'],
    [3599.7, '1 h'],
    [7384, '2 h 3 min'],
  ])('of %d is %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text)
  })
})

describe('momentText', () => {
  it('leaves out what is smaller than a second', () => {
    expect(momentText('2025-11-23T01:02:03.456Z')).toBe('2025-11-23 01:02:03 UTC')
  })
})

describe('an LSN', () => {
  it('comes back from its number as it was', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 20 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (high, low) => {
        const text = `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}`
        const number = lsnNumber(text)
        expect(number).toBe(high * 2 ** 32 + low)
        expect(lsnText(number ?? -1)).toBe(text)
      }),
    )
  })

  it.each(['', '0', '0/', 'x/1', '0/100000000', '0/1 '])('is not %o', text => {
    expect(lsnNumber(text)).toBeUndefined()
  })
})
