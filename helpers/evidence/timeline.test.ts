import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { boundTimeline, ends, thin } from './timeline.ts'

const heightOf = ({ value }: { value: number }) => value
const curves = fc
  .array(fc.integer({ min: 0, max: 40 }), { maxLength: 600 })
  .map(values => values.map((value, at) => ({ at, value })))
const bounds = fc.integer({ min: 4, max: 300 })

describe('a curve that is thinned', () => {
  test('has no more points than asked for, all of its own and in their order', () => {
    fc.assert(
      fc.property(curves, bounds, (curve, max) => {
        const kept = thin(curve, heightOf, max)
        expect(kept.length).toBeLessThanOrEqual(max)
        expect(curve.filter(point => kept.includes(point))).toEqual(kept)
      }),
    )
  })

  test('begins, ends, and reaches as low and as high as before', () => {
    fc.assert(
      fc.property(
        curves.filter(({ length }) => length > 0),
        bounds,
        (curve, max) => {
          const [before, kept] = [curve, thin(curve, heightOf, max)].map(one => ({
            first: one[0],
            last: one.at(-1),
            lowest: Math.min(...one.map(heightOf)),
            highest: Math.max(...one.map(heightOf)),
          }))
          expect(kept).toEqual(before)
        },
      ),
    )
  })

  test('with few changes, is the same at every moment', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer(), fc.integer({ min: 1, max: 200 })), { maxLength: 50 }), stretches => {
        const curve = stretches.flatMap(([value, length]) => Array<number>(length).fill(value))
        const points = curve.map((value, at) => ({ at, value }))
        const kept = thin(points, heightOf)
        const seen = points.map(({ at }) => kept.findLast(one => one.at <= at)?.value)
        expect(seen).toEqual(curve)
        // Drawn from point to point it is the same too: no slope where there was a stretch and a step.
        const sloping = kept.filter(
          ({ at, value }, index) =>
            index > 0 && at - (kept[index - 1]?.at ?? 0) > 1 && value !== kept[index - 1]?.value,
        )
        expect(sloping).toEqual([])
      }),
    )
  })

  test('of a replay that rises, lies nowhere further from the whole than between two of its points', () => {
    const curve = Array.from({ length: 10_000 }, (_, at) => ({ at, value: at ** 2 }))
    const kept = thin(curve, heightOf, 300)
    expect(kept.length).toBeGreaterThan(100)
    const widest = Math.max(...kept.slice(1).map(({ at }, index) => at - (kept[index]?.at ?? 0)))
    expect(widest).toBeLessThanOrEqual(10_000 / 75)
  })
})

test('of a list that is too long, both ends stay', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { maxLength: 50 }), fc.integer({ min: 2, max: 20 }), (list, max) => {
      const kept = ends(list, max)
      expect(kept).toHaveLength(Math.min(list.length, max))
      expect([kept[0], kept.at(-1)]).toEqual([list[0], list.at(-1)])
    }),
  )
})

test('a timeline is small, however long the drill, and told to the millisecond', () => {
  const lsn = (at: number) => `0/${(at + 1).toString(16).toUpperCase()}`
  const points = Array.from({ length: 1_000 }, (_, at) => ({ seconds: at / 3, lsn: lsn(at) }))
  const { replays, events } = boundTimeline({
    replays: Array.from({ length: 500 }, (_, index) => ({ server: `restored ${index}`, points })),
    signals: [],
    events: [
      { seconds: 2, what: 'later' },
      { seconds: 1 / 3, what: 'earlier' },
    ],
  })
  expect(replays.length).toBe(60)
  expect(replays.reduce((sum, one) => sum + one.points.length, 0)).toBeLessThanOrEqual(6_000)
  const times = replays.flatMap(one => one.points.map(({ seconds }) => seconds))
  expect(times.filter(seconds => seconds !== Math.round(seconds * 1000) / 1000)).toEqual([])
  expect([replays[0], replays.at(-1)]).toMatchObject([{ server: 'restored 0' }, { server: 'restored 499' }])
  expect(events).toEqual([
    { seconds: 0.333, what: 'earlier' },
    { seconds: 2, what: 'later' },
  ])
})
