import { expect, it } from 'vitest'
import { buildDrill } from './build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from './sample.ts'
import { sharedDeviations } from './shared-deviations.ts'

const deviation = (section: string, what: string, proposedText = 'do it') => ({ section, what, why: 'w', proposedText })
const drill = (id: string, ...deviations: ReturnType<typeof deviation>[]) =>
  buildDrill(sampleRecord({ journal: sampleJournal({ id, deviations }) }), sampleFacts)

it('a deviation stands there once, with each drill that needed it, in the order of the runbook', () => {
  const drills = [
    drill(
      'P1',
      deviation('3.10', 'late'),
      deviation('3.4', 'rare'),
      deviation('3.4', 'a target'),
      deviation('3.4', 'a target'),
    ),
    drill('P2', deviation('3.4', 'a target')),
  ]
  const told = sharedDeviations({ drills }).map(({ deviation, drills }) => [
    deviation.what,
    ...drills.map(({ id }) => id),
  ])
  expect(told).toEqual([
    ['a target', 'P1', 'P2'],
    ['rare', 'P1'],
    ['late', 'P1'],
  ])
})

it('with another text for the runbook it is another', () => {
  const drills = [drill('P1', deviation('3.4', 'a target', 'one')), drill('P2', deviation('3.4', 'a target', 'other'))]
  expect(sharedDeviations({ drills })).toHaveLength(2)
})
