import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Random } from './random.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const paths = fc.array(fc.oneof(fc.integer(), fc.string()), { maxLength: 3 })

function first(random: Random, count = 20): number[] {
  return Array.from({ length: count }, () => random.fraction())
}

test('equal seeds and paths give equal numbers, from 0 to below 1', () => {
  fc.assert(
    fc.property(seeds, paths, (seed, path) => {
      const numbers = first(new Random(seed, ...path))
      expect(first(new Random(seed, ...path))).toEqual(numbers)
      expect(numbers.every(number => number >= 0 && number < 1)).toBe(true)
    }),
  )
})

test('another seed or path gives other numbers', () => {
  fc.assert(
    fc.property(seeds, seeds, (a, b) => {
      fc.pre(a !== b)
      expect(first(new Random(a))).not.toEqual(first(new Random(b)))
      expect(first(new Random(a, 'writer', 1))).not.toEqual(first(new Random(a, 'writer', 2)))
    }),
  )
})

test('numbers lie within their bounds, and reach both', () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: -5, max: 5 }), fc.integer({ min: 0, max: 4 }), (seed, least, width) => {
      const random = new Random(seed)
      const drawn = new Set(Array.from({ length: 300 }, () => random.between(least, least + width)))
      expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: width + 1 }, (_, index) => least + index))
    }),
  )
})

test('shuffled, nothing is lost and nothing comes twice; the original stays', () => {
  fc.assert(
    fc.property(seeds, fc.array(fc.integer()), (seed, items) => {
      const before = [...items]
      expect(new Random(seed).shuffled(items).sort()).toEqual([...items].sort())
      expect(items).toEqual(before)
    }),
  )
})

test('from nothing, nothing can be chosen', () => {
  expect(() => new Random(1).oneOf([])).toThrow(RangeError)
})
