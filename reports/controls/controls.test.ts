import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CannotRun } from '../../helpers/failure.ts'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { type Control, coverControls, loadControls } from './controls.ts'

const CONTROL: Control = {
  standard: 'SOC 2',
  id: 'A1.3',
  title: 'Testing of recovery plan procedures',
  drills: ['P1', 'P2'],
}

const drill = (id: string, record: Partial<DrillRecord> = {}) =>
  sampleRecord({ id, journal: sampleJournal({ id }), ...record })
const failed = {
  state: 'failed',
  errors: [{ name: 'Failure', kind: 'rows-missing', message: 'a row is missing' }],
} as const

function run(records: DrillRecord[], state: 'running' | 'finished' | 'interrupted' = 'finished') {
  return buildEvidence(sampleFacts, records, { state, problems: [] })
}

describe('the mapping that is shipped', () => {
  it('has every control that is asked for', () => {
    const has = loadControls().map(({ standard, id }) => `${standard} ${id}`)
    expect(has).toEqual(
      expect.arrayContaining([
        ...['A1.2', 'A1.3', 'CC7.5'].map(id => `SOC 2 ${id}`),
        ...['A.5.29', 'A.5.30', 'A.8.13', 'A.8.14'].map(id => `ISO/IEC 27001:2022 ${id}`),
        ...['CP-2', 'CP-4', 'CP-4(3)', 'CP-4(4)', 'CP-9(1)', 'CP-9(2)', 'CP-10', 'CP-10(2)'].map(
          id => `NIST SP 800-53 Rev. 5 ${id}`,
        ),
        'HIPAA Security Rule 164.308(a)(7)(ii)(D)',
        ...['11(6)', '12(2)', '12(3)', '12(6)', '12(7)'].map(id => `DORA (EU) 2022/2554 ${id}`),
      ]),
    )
  })

  it('names drills of every kind', () => {
    const mapped = loadControls().flatMap(({ drills }) => drills)
    expect([...new Set(mapped.map(([letter]) => letter))].sort()).toEqual(['L', 'N', 'P', 'R', 'S'])
  })

  it('says "supports" and never that anything is met, in its file as in the sentences made of it', () => {
    const file = readFileSync(path.join(import.meta.dirname, '../controls.yml'), 'utf8')
    const runs = [run([drill('P1')]), run([drill('P1', failed)]), run([]), run([], 'interrupted'), run([], 'running')]
    const sentences = runs.flatMap(one => coverControls(loadControls(), one)).map(({ sentence }) => sentence)
    expect([file, ...sentences].filter(text => /compl/i.test(text))).toEqual([])
    expect(sentences.filter(one => !/^(Supports|Gap of) /.test(one))).toEqual([])
  })
})

describe("a mapping of the user's", () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'controls-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function write(text: string): string {
    const file = path.join(folder, 'mine.yml')
    writeFileSync(file, text)
    return file
  }

  function mistakes(text: string): string[] {
    const file = write(text)
    try {
      loadControls(file)
    } catch (error) {
      expect(error).toBeInstanceOf(CannotRun)
      const [head, ...lines] = (error as Error).message.split('\n')
      expect(head).toBe(`${file}, the mapping of drills to controls, is to be corrected:`)
      return lines.map(line => line.replace(/^- /, ''))
    }
    throw new Error('nothing was wrong')
  }

  it('stands in for the shipped one', () => {
    const file = write(
      'standards: [{ name: Ours, controls: [{ id: C1, title: Restores, note: Not all, drills: [P1] }, { id: C2, title: None, drills: [] }] }]',
    )
    expect(loadControls(file)).toEqual([
      { standard: 'Ours', id: 'C1', title: 'Restores', note: 'Not all', drills: ['P1'] },
      { standard: 'Ours', id: 'C2', title: 'None', drills: [] },
    ])
  })

  it('is told all its mistakes at once', () => {
    expect(
      mistakes(`
standards:
  - name: Ours
    controls:
      - { id: 5.29, title: '', drills: P1, notes: x }
      - { id: C2, drills: [P1] }
  - name: Theirs
    controls: []
`),
    ).toEqual([
      'standards[1].controls[1].id is to be a text: put it in quotes',
      'standards[1].controls[1].title is empty',
      'standards[1].controls[1].drills is to be a list of ids of drills, which may be empty',
      "standards[1].controls[1] has 'notes', which stands for nothing here: take it out",
      'standards[1].controls[2].title is missing',
      'standards[2].controls is empty',
    ])
  })

  it('is told of drills that there are not, and of what stands there twice', () => {
    expect(
      mistakes(
        'standards: [{ name: Ours, controls: [{ id: C1, title: a, drills: [P1, P99, P1] }, { id: C1, title: b, drills: [X] }] }]',
      ),
    ).toEqual([
      'Ours C1 names the drill P99, which there is not: see the README for those there are',
      'Ours C1 names the drill X, which there is not: see the README for those there are',
      'Ours C1 stands there twice: put its drills into one list',
      'Ours C1 names the drill P1 twice',
    ])
  })

  it.each([
    ['', ['it is to hold `standards:`, a list']],
    ['standards: []', ['standards is empty']],
    ['standards: [', [expect.stringMatching(/at line 1, column \d+$/)]],
    ['standards: []\nstandards: []', [expect.stringMatching(/Map keys must be unique at line 2/)]],
  ])('is told what is wrong with %j', (text, expected) => {
    expect(mistakes(text)).toEqual(expected)
  })

  it('that cannot be read is named', () => {
    expect(() => loadControls(path.join(folder, 'gone.yml'))).toThrow(/gone\.yml, .*cannot be read.*set DRILL_CONTROLS/)
  })
})

describe('coverControls', () => {
  const cover = (records: DrillRecord[], ...rest: [('running' | 'finished' | 'interrupted')?]) =>
    coverControls([CONTROL], run(records, ...rest))[0]

  it('supports a control by the drills that passed, and tells the others', () => {
    expect(cover([drill('P1'), drill('P2', failed), drill('P3')])).toEqual({
      ...CONTROL,
      evidence: [
        { drill: 'P1', verdict: 'passed', at: '2025-11-23T01:02:03.456Z' },
        { drill: 'P2', verdict: 'failed', at: '2025-11-23T01:02:03.456Z' },
      ],
      isSupported: true,
      sentence: 'Supports SOC 2 A1.3: P1 passed; P2 failed',
    })
  })

  it.each([
    [[drill('P3')], 'no drill that supports it passed in this run (P1, P2 not part of it)'],
    [[drill('P1', failed)], 'no drill that supports it passed in this run (P1 failed; P2 not part of it)'],
    [
      [drill('P1', { state: 'pending' }), drill('P2', { state: 'skipped', note: 'it needs Docker' })],
      'no drill that supports it passed in this run (P1 unknown; P2 not exercised)',
    ],
    [
      [drill('P1', { sabotage: 'row-altered' }), drill('P2')],
      'in this run something was broken on purpose, and it proves nothing else',
    ],
  ])('is a gap without one that passed: %#', (records, why) => {
    expect(cover(records)).toMatchObject({ isSupported: false, sentence: `Gap of SOC 2 A1.3: ${why}` })
  })

  it('is a gap of a run that has not ended, whatever passed in it', () => {
    expect(cover([drill('P1')], 'interrupted')).toMatchObject({
      isSupported: false,
      sentence: 'Gap of SOC 2 A1.3: this run was cut off',
    })
    expect(cover([drill('P1')], 'running')).toMatchObject({
      isSupported: false,
      sentence: 'Gap of SOC 2 A1.3: this run has not ended, or was cut off without a word',
    })
  })

  it('is a gap of a run that was started to break something', () => {
    const evidence = buildEvidence({ ...sampleFacts, kind: 'sabotage' }, [drill('P1')], {
      state: 'finished',
      problems: [],
    })
    expect(coverControls([CONTROL], evidence)[0]?.isSupported).toBe(false)
  })

  it('is not supported by two drills of one id of which one failed', () => {
    for (const twice of [
      [drill('P1'), drill('P1', failed)],
      [drill('P1', failed), drill('P1')],
    ])
      expect(cover(twice)).toMatchObject({ isSupported: false })
  })

  it('is a gap where no drill is mapped to it', () => {
    const [covered] = coverControls([{ ...CONTROL, drills: [] }], run([drill('P1')]))
    expect(covered).toMatchObject({ isSupported: false, sentence: 'Gap of SOC 2 A1.3: no drill is mapped to it' })
  })
})
