import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBehind } from './sequences.ts'

const sequence = { sequence: 's', column: 't.c' }

describe('a sequence is behind its column', () => {
  test('exactly when the next value it gives lies among those that it gave', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -1000n, max: 1000n }),
        fc.bigInt({ min: 1n, max: 50n }),
        fc.boolean(),
        fc.nat({ max: 20 }),
        fc.integer({ min: -25, max: 25 }),
        (start, step, isDescending, given, moved) => {
          const increment = isDescending ? -step : step
          // Values 0 to given - 1 stand in the column; then the sequence is moved by so many.
          const column = Array.from({ length: given }, (_, number) => start + BigInt(number) * increment)
          const next = start + BigInt(given + moved) * increment
          const furthest = column.at(-1)
          const isPast = furthest === undefined || given + moved > given - 1
          for (const isCalled of [true, false]) {
            const lastValue = isCalled ? next - increment : next
            expect(isBehind({ ...sequence, lastValue, isCalled, increment, furthest })).toBe(!isPast)
          }
        },
      ),
    )
  })

  test('never of an empty table', () => {
    expect(isBehind({ ...sequence, lastValue: 1n, isCalled: true, increment: 1n, furthest: undefined })).toBe(false)
  })
})
