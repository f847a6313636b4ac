import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { writeMetrics } from './metrics-file.ts'

/** Called when what is to be written is known, and not there yet. */
const meanwhile = vi.hoisted(() => vi.fn())
vi.mock('../run-folder.ts', async original => {
  const { writeWhole } = await original<typeof import('../run-folder.ts')>()
  return {
    writeWhole: (file: string, text: string) => {
      meanwhile()
      writeWhole(file, text)
    },
  }
})

const failed = { state: 'failed', errors: [{ name: 'Failure', kind: 'rows-missing', message: 'x' }] } as const

let out: string
beforeEach(() => {
  out = mkdtempSync(path.join(tmpdir(), 'out-'))
})
afterEach(() => {
  meanwhile.mockReset()
  rmSync(out, { recursive: true })
})

/** A run of P1 that leaves its record in a folder named `id`: it began `id` minutes after 0:00. */
function leave(id: number, drill: Partial<DrillRecord> = {}, state: Evidence['run']['state'] = 'finished'): Evidence {
  const moment = new Date(Date.UTC(2025, 0, 1, 0, id)).toISOString()
  const record = sampleRecord({ journal: sampleJournal({ startedAt: moment }), startedAt: moment, ...drill })
  const evidence = buildEvidence({ ...sampleFacts, id: String(id) }, [record], { state, endedAt: moment, problems: [] })
  mkdirSync(path.join(out, String(id)), { recursive: true })
  writeFileSync(evidenceFile(id), JSON.stringify(evidence))
  return evidence
}

const evidenceFile = (id: number | string) => path.join(out, String(id), 'evidence.json')
const metricsFile = () => path.join(out, 'metrics', 'pg_recovery_drills.prom')
const told = () => readFileSync(metricsFile(), 'utf8')

describe('writeMetrics', () => {
  it('writes one file that others can read, and leaves nothing beside it', () => {
    expect(writeMetrics(out, leave(1))).toEqual([])
    expect(told()).toContain(
      'pg_recovery_drill_verdict{drill="P1",runbook="3",runtime="embedded",major="18",verdict="passed"} 1\n',
    )
    expect(readdirSync(path.dirname(metricsFile()))).toEqual(['pg_recovery_drills.prom'])
  })

  it('keeps the last success when a run fails, with the file there, damaged or gone', () => {
    writeMetrics(out, leave(1))
    const success = told()
      .split('\n')
      .filter(line => line.startsWith('pg_recovery_drill_last_success'))
    const after = leave(2, failed)
    for (const damage of [() => undefined, () => writeFileSync(metricsFile(), '\0'), () => rmSync(metricsFile())]) {
      damage()
      writeMetrics(out, after)
      expect(told()).toContain('verdict="failed"} 1\n')
      expect(
        told()
          .split('\n')
          .filter(line => line.startsWith('pg_recovery_drill_last_success')),
      ).toEqual(success)
    }
  })

  it.each<[string, Partial<DrillRecord>, Evidence['run']['state']]>([
    ['was cut off', {}, 'interrupted'],
    ['was broken on purpose', { ...failed, sabotage: 'row-altered' }, 'finished'],
  ])('leaves the file as it is after a run that %s', (_, drill, state) => {
    const other = leave(1, drill, state)
    writeMetrics(out, other)
    expect(readdirSync(out)).toEqual(['1'])
    writeMetrics(out, leave(2))
    utimesSync(metricsFile(), 0, 0)
    writeMetrics(out, leave(3, drill, state))
    expect(statSync(metricsFile()).mtimeMs).toBe(0)
  })

  it('names the records that cannot be read, and tells the rest', () => {
    leave(1)
    writeFileSync(evidenceFile(1), '{"run": {')
    leave(2)
    writeFileSync(evidenceFile(2), '{}')
    leave(3, { id: 'P3', journal: sampleJournal({ id: 'P3' }) })
    symlinkSync('3', path.join(out, 'latest'))
    mkdirSync(path.join(out, 'could-not-run'))
    writeFileSync(path.join(out, 'notes.txt'), '')
    expect(writeMetrics(out, leave(4))).toEqual([evidenceFile(1), evidenceFile(2)])
    expect(told()).toContain('{drill="P1",')
    expect(told()).toContain('{drill="P3",')
  })

  it('no longer tells what is a week old', () => {
    leave(1, { id: 'P3', journal: sampleJournal({ id: 'P3' }) })
    leave(2, { id: 'P4', journal: sampleJournal({ id: 'P4' }) })
    const daysAgo = (days: number) => Date.now() / 1000 - days * 24 * 3600
    utimesSync(evidenceFile(1), daysAgo(6.9), daysAgo(6.9))
    utimesSync(evidenceFile(2), daysAgo(7.1), daysAgo(7.1))
    writeMetrics(out, leave(3))
    expect(told()).toContain('{drill="P3",')
    expect(told()).not.toContain('{drill="P4",')
  })

  it('says what to do when the file cannot be written', () => {
    const evidence = leave(1)
    writeFileSync(path.join(out, 'metrics'), '')
    expect(() => writeMetrics(out, evidence)).toThrow(
      expect.objectContaining({ name: 'CannotRun', message: expect.stringContaining(metricsFile()) }),
    )
  })

  it('loses nothing of a run that ends while it writes', () => {
    meanwhile.mockImplementationOnce(() =>
      writeMetrics(out, leave(2, { id: 'P2', journal: sampleJournal({ id: 'P2' }) })),
    )
    writeMetrics(out, leave(1))
    expect(meanwhile).toHaveBeenCalledTimes(3)
    expect(told()).toContain('{drill="P1",')
    expect(told()).toContain('{drill="P2",')
  })
})
