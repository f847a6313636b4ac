import { scaleLinear } from 'd3-scale'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeEvents } from './time-axis.tsx'

const x = scaleLinear([0, 10], [100, 900])
const at = (...moments: number[]) => moments.map(seconds => ({ seconds, what: 'x' }))

describe('placeEvents', () => {
  it('numbers events by their times, and puts those close together into rows', () => {
    expect(placeEvents(at(5, 1, 1.05), x)).toEqual([
      { first: 1, last: 1, x: 180, row: 0 },
      { first: 2, last: 2, x: 184, row: 1 },
      { first: 3, last: 3, x: 500, row: 0 },
    ])
  })

  it('keeps the number of an event that is not shown', () => {
    expect(placeEvents(at(-1, 2), x)).toEqual([{ first: 2, last: 2, x: 260, row: 0 }])
  })

  it('shares a mark where there is no room', () => {
    expect(placeEvents(at(1, 1, 1, 1, 1, 1), x).map(({ first, last, row }) => [first, last, row])).toEqual([
      [1, 1, 0],
      [2, 2, 1],
      [3, 3, 2],
      [4, 6, 3],
    ])
  })

  it('has each event under one mark, in order and in four rows at the most', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { maxLength: 200 }), moments => {
        const marks = placeEvents(at(...moments), x)
        const covered = marks.flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, index) => first + index),
        )
        expect(covered).toEqual(moments.map((_, index) => index + 1))
        expect(marks.filter(({ row }) => row > 3)).toEqual([])
      }),
    )
  })
})
