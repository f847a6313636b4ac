import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { byId, declaredDrills } from '../helpers/evidence/declared-drills.ts'
import type { Drill, FaultSeen } from '../helpers/evidence/evidence.ts'
import { FAULTS, SIGNAL_NAMES } from '../helpers/evidence/faults.ts'
import { buildDrill } from './build-evidence.ts'
import { matrixOf } from './matrix.ts'
import { sampleFacts, sampleJournal, sampleRecord } from './sample.ts'

type Row = (typeof FAULTS)[number]

/** As the drill notes it when every signal did what it must. */
function seen({ fault, fires }: Row): FaultSeen {
  const cells = SIGNAL_NAMES.map(signal => [signal, fires.some(one => one === signal) ? 'fires' : 'quiet'])
  return { fault, signals: Object.fromEntries(cells), windowSeconds: 1, secondsToFire: {}, looks: 3 }
}

function drillWith(id: string, faults: FaultSeen[], state: 'passed' | 'skipped' = 'passed'): Drill {
  return buildDrill(
    sampleRecord({ id, state, note: 'for a reason', journal: sampleJournal({ id, faults }) }),
    sampleFacts,
  )
}

const ids = [...new Set(FAULTS.map(({ drill }) => drill))]
const faultsOf = (id: string) => FAULTS.filter(({ drill }) => drill === id)
const all = ids.map(id => drillWith(id, faultsOf(id).map(seen)))

describe('the faults', () => {
  it('are of drills that there are, and each negative drill has one', () => {
    const negative = declaredDrills().flatMap(({ id }) => (id?.startsWith('N') ? [id] : []))
    expect([...ids].sort(byId.compare)).toEqual(negative)
  })

  it('are told apart by their names', () => {
    expect(new Set(FAULTS.map(({ fault }) => fault)).size).toBe(FAULTS.length)
  })
})

describe('a drill', () => {
  it.each(FAULTS)('$drill is not passed when it has not looked at: $fault', ({ drill, fault }) => {
    const others = faultsOf(drill).filter(one => one.fault !== fault)
    expect(drillWith(drill, others.map(seen))).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining(fault),
    })
  })

  it('that has looked at all of them is', () => {
    expect(all.map(({ verdict }) => verdict)).toEqual(ids.map(() => 'passed'))
  })
})

describe('the matrix', () => {
  it('stands in the README as the drills give it', () => {
    const readme = readFileSync(path.resolve(import.meta.dirname, '../README.md'), 'utf8')
    const [, table] = /### Faults and signals\n.*?\n\n(\|.*?\n)\n/s.exec(readme) ?? []
    expect(table).toBe(matrixOf(all))
  })

  it('says what was not looked at, or could not be', () => {
    const rows = matrixOf([drillWith('N7f', [], 'skipped'), drillWith('N1', faultsOf('N1').map(seen))]).split('\n')
    const row = (fault: string) => rows.find(one => one.startsWith(`| ${fault} |`))
    expect(row('archive full')).toContain('| not exercised | not exercised | not exercised || N7f |')
    expect(row('segment lost between backup and target')).toContain('| **fires** | quiet | quiet || N1 |')
    expect(row('archive_command hangs')).toContain('| not looked at | not looked at | not looked at || N9 |')
  })

  it('says how long it took', () => {
    const faults = faultsOf('N1').map(row => ({ ...seen(row), secondsToFire: { 'missing-archive-segment': 1.2345 } }))
    expect(matrixOf([drillWith('N1', faults)])).toContain('| **fires** after 1.23 s | quiet | quiet || N1 |')
  })
})
