import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Progress } from '../../helpers/evidence/progress.ts'
import { sampleProgress } from '../sample.ts'
import { barText, progressSentence } from './progress-text.ts'

/** Bytes, moments and rounds are whole. */
const quantity = fc.integer({ min: 0, max: 1e15 })
const anyProgress: fc.Arbitrary<Progress> = fc.record(
  {
    number: fc.constant(1),
    what: fc.string({ minLength: 1 }),
    unit: fc.constantFrom('bytes', 'WAL bytes', 'moments', 'rounds'),
    done: quantity,
    of: quantity,
    at: fc.string(),
    seconds: fc.double({ min: 0, max: 1e15, noNaN: true }),
    hasEnded: fc.boolean(),
  },
  { requiredKeys: ['number', 'what', 'unit', 'done', 'seconds', 'hasEnded'] },
)

describe('a bar', () => {
  it('shows how much of the whole is done, and when the rest will be', () => {
    expect(barText(sampleProgress(), 80)).toBe('base backup  ████░░░░░░░░░░░░  25 %, 100 MB of 400 MB, about 15 s left')
  })

  it('is none where nobody knows the whole', () => {
    const { of: _, ...replay } = sampleProgress({ what: 'replay', unit: 'WAL bytes', at: '0/8000000' })
    expect(barText(replay, 80)).toBe('replay  0/8000000')
  })

  it('has room for the places of a replay, far in the WAL as they are', () => {
    const replay = { what: 'replay', unit: 'WAL bytes', done: 8e9, of: 16e9, at: '1A/3F000060 of 1B/40000000' } as const
    expect(barText(sampleProgress(replay), 75)).toBe(
      'replay  ████████░░░░░░░░  50 %, 1A/3F000060 of 1B/40000000, about 5 s left',
    )
    expect(progressSentence(sampleProgress(replay))).toBe(
      'replay: 50 %, 8.0 GB of 16.0 GB, 1A/3F000060 of 1B/40000000, about 5 s left',
    )
  })

  it('counts moments and rounds', () => {
    expect(barText(sampleProgress({ what: 'recoveries', unit: 'moments', done: 3, of: 12 }), 80)).toBe(
      'recoveries  ████░░░░░░░░░░░░  25 %, 3 of 12, about 15 s left',
    )
  })

  it('loses in a narrow terminal first itself, then the estimate, then all but its name', () => {
    expect([60, 44, 25, 5].map(columns => barText(sampleProgress(), columns))).toEqual([
      'base backup  25 %, 100 MB of 400 MB, about 15 s left',
      'base backup  25 %, 100 MB of 400 MB',
      'base backup',
      'base',
    ])
  })

  it.each([
    [30, 1, 'about 30 s left'],
    [600, 1, 'about 10 min left'],
    [36_000, 1, 'about 10 h left'],
  ])('tells %d s in what they are told in', (seconds, done, expected) => {
    expect(barText(sampleProgress({ unit: 'rounds', done, of: 2, seconds }), 80)).toContain(expected)
  })

  it('estimates nothing at once, of what has not moved, nor of what is done', () => {
    for (const progress of [{ seconds: 0.9 }, { done: 0 }, { done: 400e6 }])
      expect(barText(sampleProgress(progress), 80)).not.toContain('left')
  })

  it('is one line, never as wide as the terminal, and steers nothing', () => {
    fc.assert(
      fc.property(anyProgress, fc.integer({ min: 2, max: 300 }), (progress, columns) => {
        const text = barText(progress, columns)
        expect(text.length).toBeLessThan(columns)
        expect(text).not.toMatch(/\p{Cc}/u)
        expect(text).not.toMatch(/NaN|Infinity|undefined/)
      }),
    )
  })

  it('is never more than full, and full only when all is done', () => {
    fc.assert(
      fc.property(quantity, fc.double({ min: 1, max: 1e15, noNaN: true }), (done, of) => {
        const text = barText(sampleProgress({ what: 'x', unit: 'bytes', done, of, seconds: 0 }), 80)
        const full = text.split('█').length - 1
        expect(full).toBeLessThanOrEqual(16)
        expect(full === 16).toBe(done >= of)
        expect(text.includes('100 %')).toBe(done >= of)
      }),
    )
  })
})

describe('a sentence', () => {
  it('says the same while the step goes on', () => {
    expect(progressSentence(sampleProgress())).toBe('base backup: 25 %, 100 MB of 400 MB, about 15 s left')
  })

  it('says at its end how long it took', () => {
    expect(progressSentence(sampleProgress({ done: 400e6, hasEnded: true }))).toBe('base backup: 400 MB in 5.00 s')
  })

  it('says where it ended, when that is not its end', () => {
    expect(progressSentence(sampleProgress({ hasEnded: true }))).toBe(
      'base backup: ended at 25 %, 100 MB of 400 MB after 5.00 s',
    )
  })
})
