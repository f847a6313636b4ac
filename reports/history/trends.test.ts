import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { buildEvidence } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import type { HistoryEntry } from './history.ts'
import { trendsOf } from './trends.ts'

function evidenceOf(seconds: number | undefined): Evidence {
  const journal = sampleJournal(seconds === undefined ? {} : { rto: { seconds, phases: [], verdict: 'no objective' } })
  const progress = { state: 'finished', endedAt: sampleFacts.startedAt, problems: [] } as const
  return buildEvidence({ ...sampleFacts, id: 'this' }, [sampleRecord({ journal })], progress)
}

function entry(number: number, rtoSeconds: number | undefined, changes: Partial<HistoryEntry> = {}): HistoryEntry {
  return {
    runId: `run-${number}`,
    kind: 'nightly',
    startedAt: sampleFacts.startedAt,
    endedAt: sampleFacts.startedAt,
    verdict: 'passed',
    commit: 'unknown',
    runtime: 'embedded',
    serverMajor: 18,
    digest: '0'.repeat(64),
    previous: null,
    drills: [{ id: 'P1', verdict: 'passed', durationSeconds: 5, ...(rtoSeconds !== undefined && { rtoSeconds }) }],
    ...changes,
  }
}

const history = (...seconds: number[]) => seconds.map((one, index) => entry(index, one))
const trend = (seconds: number, earlier: HistoryEntry[]) => trendsOf(evidenceOf(seconds), earlier)[0]

describe('trendsOf', () => {
  it('has the runs before and this one, and warns of twice the median', () => {
    expect(trend(4.1, history(9, 1.9, 1, 1.9, 2))).toEqual({
      drill: 'P1',
      rto: [9, 1.9, 1, 1.9, 2, 4.1].map((seconds, index) => ({
        runId: index === 5 ? 'this' : `run-${index}`,
        startedAt: sampleFacts.startedAt,
        seconds,
      })),
      medianSeconds: 1.9,
      warning: 'P1 recovered in 4.10 s, 2.2 times the median of the last 5 runs, 1.90 s',
    })
  })

  it('has no drill without an RTO', () => {
    expect(trendsOf(evidenceOf(undefined), history(1, 2, 3))).toEqual([])
  })

  it('takes the mean of both in the middle of an even number of runs', () => {
    expect(trend(1, history(1, 4, 2, 8))?.medianSeconds).toBe(3)
  })

  it('leaves out what stands in the history from this run on', () => {
    const later = [...history(1, 1, 1), entry(3, 1, { runId: 'this' }), ...history(50, 50, 50)]
    expect(trend(2, later)).toMatchObject({ medianSeconds: 1, warning: expect.stringContaining('2.0 times') })
    expect(trend(2, later)?.rto).toHaveLength(4)
  })

  it.each<[string, Partial<HistoryEntry>]>([
    ['another kind', { kind: 'core' }],
    ['another runtime', { runtime: 'docker' }],
    ['another major', { serverMajor: 17 }],
    ['other drills', { drills: [{ id: 'P2', verdict: 'passed', durationSeconds: 5, rtoSeconds: 1 }] }],
    ['a drill that failed', { drills: [{ id: 'P1', verdict: 'failed', durationSeconds: 5, rtoSeconds: 1 }] }],
    ['a drill without an RTO', { drills: [{ id: 'P1', verdict: 'passed', durationSeconds: 5 }] }],
  ])('does not compare with a run of %s', (_, changes) => {
    const other = history(1, 1, 1, 1).map(one => ({ ...one, ...changes }))
    expect(trend(9, other)).toEqual({ drill: 'P1', rto: [expect.objectContaining({ seconds: 9 })] })
  })

  const seconds = fc.double({ min: 0.001, max: 1e6, noNaN: true })

  it('says a median from the third run on, and it lies amid the last ten', () => {
    fc.assert(
      fc.property(fc.array(seconds, { maxLength: 30 }), seconds, (earlier, latest) => {
        const { medianSeconds, rto } = trend(latest, history(...earlier)) ?? {}
        const last = earlier.slice(-10)
        expect(rto?.map(one => one.seconds)).toEqual([...last, latest])
        expect(medianSeconds === undefined).toBe(earlier.length < 3)
        if (medianSeconds === undefined) return
        const half = last.length / 2
        expect(last.filter(one => one <= medianSeconds).length).toBeGreaterThanOrEqual(half)
        expect(last.filter(one => one >= medianSeconds).length).toBeGreaterThanOrEqual(half)
      }),
    )
  })

  it('is blind to the order of the last ten', () => {
    const ten = fc.array(seconds, { minLength: 3, maxLength: 10 })
    const shuffled = ten.chain(values =>
      fc.tuple(fc.constant(values), fc.shuffledSubarray(values, { minLength: values.length })),
    )
    fc.assert(
      fc.property(shuffled, seconds, ([values, others], latest) => {
        expect(trend(latest, history(...others))?.medianSeconds).toBe(trend(latest, history(...values))?.medianSeconds)
      }),
    )
  })

  it('warns from exactly twice the median on, and not below', () => {
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 3, maxLength: 10 }), earlier => {
        const median = trend(0, history(...earlier))?.medianSeconds ?? Number.NaN
        expect(trend(2 * median, history(...earlier))?.warning).toContain(
          `2.0 times the median of the last ${earlier.length} runs`,
        )
        expect(trend(1.999 * median, history(...earlier))?.warning).toBeUndefined()
      }),
    )
  })

  it('does not warn of a multiple of no time at all', () => {
    expect(trend(1, history(0, 0, 0))).not.toHaveProperty('warning')
  })
})
