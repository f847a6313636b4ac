import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LongStep, parseProgress } from './progress.ts'

/** A long step on a clock that only the test moves, and what it has told. */
function begun(of?: number) {
  const clock = { ms: 0 }
  const told: string[] = []
  const step = new LongStep(
    message => told.push(message),
    { what: 'base backup', unit: 'bytes', ...(of === undefined ? {} : { of }) },
    () => clock.ms,
  )
  return { clock, told, step }
}

describe('a long step', () => {
  it('has a number of its own', () => {
    const numbers = [begun(), begun()].map(({ clock, told, step }) => {
      clock.ms = 600
      step.reach({ done: 1 })
      return parseProgress(told[0] ?? '').number
    })
    expect(new Set(numbers).size).toBe(2)
  })

  it('says nothing of what is over in no time', () => {
    const { clock, told, step } = begun(10)
    clock.ms = 400
    step.reach({ done: 9 })
    step[Symbol.dispose]()
    expect(told).toEqual([])
  })

  it('tells how far it has come, and that it is over', () => {
    const { clock, told, step } = begun(10)
    clock.ms = 600
    step.reach({ done: 5, at: '0/3000060' })
    clock.ms = 700
    step.reach({ done: 10 })
    step[Symbol.dispose]()
    const common = { number: expect.any(Number), what: 'base backup', unit: 'bytes', of: 10, at: '0/3000060' }
    expect(told.map(parseProgress)).toEqual([
      { ...common, done: 5, seconds: 0.6, hasEnded: false },
      { ...common, done: 10, seconds: 0.7, hasEnded: true },
    ])
  })

  it('is over once, and tells nothing of what comes after it', () => {
    const { clock, told, step } = begun()
    clock.ms = 600
    step.reach({ done: 1 })
    step[Symbol.dispose]()
    clock.ms = 60_000
    step.reach({ done: 2 })
    step[Symbol.dispose]()
    expect(told).toHaveLength(2)
  })

  it('tells no more than five times a second, however often it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), waits => {
        const { clock, told, step } = begun()
        for (const [index, wait] of waits.entries()) {
          clock.ms += wait
          step.reach({ done: index })
        }
        const times = told.map(message => Math.round(parseProgress(message).seconds * 1000))
        for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? 300)).toBeGreaterThanOrEqual(200)
      }),
    )
  })

  it('tells few times even of two days', () => {
    const { clock, told, step } = begun()
    for (; clock.ms < 172_800_000; clock.ms += 100) step.reach({ done: clock.ms })
    expect(told.length).toBeLessThan(10_000)
    expect(told.length).toBeGreaterThan(1_000)
  })
})

describe('a message', () => {
  it('comes back as it was told, whatever the step is called', () => {
    fc.assert(
      fc.property(
        fc.record({
          what: fc.string({ minLength: 1 }),
          of: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
        }),
        fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
        ({ what, of }, done) => {
          const told: string[] = []
          let nowMs = 0
          const step = new LongStep(
            message => told.push(message),
            { what, unit: 'moments', of },
            () => nowMs,
          )
          nowMs = 1_000
          step.reach({ done })
          // JSON knows no negative nought.
          expect(told.map(parseProgress)).toEqual([
            {
              number: expect.any(Number),
              what,
              unit: 'moments',
              of: of + 0,
              done: done + 0,
              seconds: 1,
              hasEnded: false,
            },
          ])
        },
      ),
    )
  })

  it.each([
    'base backup: 12 of about 40 MiB',
    '',
    '{}',
    '{"number":1,"what":"x","unit":"apples","done":1,"seconds":1,"hasEnded":false}',
    '{"number":1,"what":"x","unit":"bytes","done":-1,"seconds":1,"hasEnded":false}',
    '{"number":1,"what":"x","unit":"bytes","done":1,"seconds":1,"hasEnded":false,"percent":3}',
  ])('that tells no progress is refused: %s', message => {
    expect(() => parseProgress(message)).toThrow(/does not tell progress/)
  })
})
