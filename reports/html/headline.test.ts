import { describe, expect, it } from 'vitest'
import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { headlineOf } from './headline.ts'
import { failedReport, interruptedReport, sampleReport } from './sample-report.ts'

const { drills } = failedReport().evidence

/** A run with a drill of each of `verdicts`, those of recovery before others. */
function headline(run: Partial<Evidence['run']>, ...verdicts: Verdict[]) {
  const found = drills.toSorted((a, b) => a.runbook.localeCompare(b.runbook))
  const of = verdicts.flatMap(verdict => found.find(drill => drill.verdict === verdict) ?? [])
  return headlineOf(sampleReport(run, of).evidence)
}

/** A run in which the drills of those sections of the runbook passed. */
function passedIn(run: Partial<Evidence['run']>, ...sections: string[]) {
  const [drill] = sampleReport().evidence.drills as [Drill]
  return headlineOf(
    sampleReport(
      run,
      sections.map((runbook, index) => ({ ...drill, id: `X${index}`, runbook })),
    ).evidence,
  )
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

  it('says of a restore what was restored', () => {
    expect(headline({ kind: 'live' }, 'passed').explanation).toContain('The backup that is named below was restored')
  })

  it.each<[string, Partial<Evidence['run']>, string[], string, Verdict]>([
    ['recovery was among what passed', {}, ['1', '3'], 'Recovery is proven', 'passed'],
    [
      'only settings and alarms were looked at',
      {},
      ['1', '2', '4'],
      'Recovery is not proven: nothing was recovered',
      'unknown',
    ],
    ['it is of the core', { kind: 'core' }, ['1', '3', '4'], 'What was selected is proven', 'passed'],
    ['it was narrowed', { selection: ['drills/readiness'] }, ['1'], 'What was selected is proven', 'passed'],
    ['it is a part that recovers', { selection: ['drills/recovery'] }, ['3'], 'What was selected is proven', 'passed'],
  ])('says no more of a run that passed than what passed in it: %s', (_, run, sections, sentence, mark) => {
    const told = passedIn(run, ...sections)
    expect({ sentence: told.sentence, mark: told.mark }).toEqual({ sentence, mark })
    expect(told.explanation.includes('says nothing of recovery')).toBe(!sections.includes('3'))
  })

  it('says of what part a run is, however it ended', () => {
    expect(passedIn({}, '3').scope).toBeUndefined()
    for (const run of [
      {},
      { verdict: 'failed' },
      { verdict: 'unknown' },
      { state: 'interrupted', verdict: 'unknown' },
    ] as const) {
      expect(passedIn({ ...run, selection: ['drills/readiness'] }, '1').scope).toMatch(
        /^1 of \d\d drills: a selection, drills\/readiness$/,
      )
      expect(passedIn({ ...run, kind: 'core' }, '1', '3', '4').scope).toMatch(/^3 of \d\d drills: the core$/)
    }
    expect(passedIn({ state: 'running', kind: 'core' }, '1').scope).toMatch(/^not all of \d\d drills: the core$/)
  })

  it('says of a run that was cut off whether anything had passed, and how many files were not begun', () => {
    expect(headlineOf(interruptedReport().evidence).explanation).toMatch(
      /What passed until then stands below, and .* 2 files of drills were not begun\.$/,
    )
    const cutOff = { state: 'interrupted', verdict: 'unknown' } as const
    for (const told of [headline(cutOff), headline(cutOff, 'unknown')])
      expect(told.explanation).toBe('It was cut off before it ended. Nothing had passed until then.')
  })
})
