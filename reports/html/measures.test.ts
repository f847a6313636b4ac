import { describe, expect, it } from 'vitest'
import { measureOf } from './measures.ts'
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
