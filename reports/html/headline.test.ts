import { describe, expect, it } from 'vitest'
import type { Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { headlineOf } from './headline.ts'
import { failedReport, sampleReport } from './sample-report.ts'

const { drills } = failedReport().evidence

/** A run with a drill of each of `verdicts`. */
function headline(run: Partial<Evidence['run']>, ...verdicts: Verdict[]) {
  const of = verdicts.flatMap(verdict => drills.find(drill => drill.verdict === verdict) ?? [])
  return headlineOf(sampleReport(run, of).evidence)
}

describe('headlineOf', () => {
  it('says that recovery is proven of a run that passed', () => {
    expect(headline({}, 'passed', 'not exercised')).toEqual({
      mark: 'passed',
      sentence: 'Recovery is proven',
      explanation: '1 drill passed; none failed, none is unknown. 1 drill could not be exercised here.',
    })
  })

  it.each<[string, Partial<Evidence['run']>, Verdict[], string, Verdict]>([
    ['has no end', { state: 'running', verdict: 'unknown' }, ['passed'], 'has not ended', 'unknown'],
    ['has no end, and says that it passed', { state: 'running' }, ['passed'], 'has not ended', 'unknown'],
    ['was interrupted', { state: 'interrupted', verdict: 'unknown' }, ['passed'], 'was interrupted', 'unknown'],
    ['was interrupted, and says that it passed', { state: 'interrupted' }, ['passed'], 'was interrupted', 'unknown'],
    [
      'had failed when it was interrupted',
      { state: 'interrupted', verdict: 'failed' },
      ['failed'],
      'was interrupted',
      'failed',
    ],
    ['failed', { verdict: 'failed' }, ['passed', 'failed'], 'is not proven: the run failed', 'failed'],
    ['came to no result', { verdict: 'unknown' }, ['passed', 'unknown'], 'is not known whether', 'unknown'],
    ['says that it passed over a drill that failed', {}, ['passed', 'failed'], 'is not known whether', 'unknown'],
    ['exercised nothing', { verdict: 'unknown' }, ['not exercised'], 'No drill was exercised', 'unknown'],
    ['says that it passed, of no drill', {}, [], 'No drill was exercised', 'unknown'],
    ['is of sabotages', { kind: 'sabotage', verdict: 'failed' }, ['failed'], 'Sabotaged on purpose', 'not exercised'],
  ])('says otherwise of a run that %s', (_, run, verdicts, sentence, mark) => {
    const told = headline(run, ...verdicts)
    expect(told.sentence).toContain(sentence)
    expect(told.sentence).not.toBe('Recovery is proven')
    expect(told.mark).toBe(mark)
  })

  it('tells a run with a sabotaged drill by the drill', () => {
    const broken = drills.slice(0, 1).map(drill => ({ ...drill, sabotage: 'row-altered' }))
    expect(headlineOf(sampleReport({}, broken).evidence).sentence).toContain('Sabotaged on purpose')
  })

  it('says what a run was narrowed to, and of a restore what was restored', () => {
    expect(headline({ selection: ['drills/recovery'] }, 'passed').explanation).toContain('narrowed to drills/recovery')
    expect(headline({ kind: 'live' }, 'passed').explanation).toContain('The backup that is named below was restored')
  })
})
