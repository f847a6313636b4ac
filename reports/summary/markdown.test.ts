import { describe, expect, it } from 'vitest'
import { buildEvidence } from '../build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from '../sample.ts'
import { summaryOf } from './markdown.ts'

const HOSTILE = '| <img src=x onerror=alert(1)>\n# **not bold** `code` [link](http://x)'

const passed = sampleRecord({
  journal: sampleJournal({
    rto: { seconds: 4.25, phases: [], objectiveSeconds: 4, verdict: 'missed' },
    rpo: { seconds: 0.5, verdict: 'no objective' },
    sizes: { baseBackupBytes: 37_000_000 },
  }),
})
const failed = sampleRecord({
  id: 'N1',
  title: HOSTILE,
  state: 'failed',
  errors: [{ name: 'Failure', kind: 'alarm-quiet', message: HOSTILE }],
  journal: sampleJournal({ id: 'N1', runbook: '4' }),
})
const left = sampleRecord({
  id: 'N7f',
  title: 'a full archive',
  state: 'skipped',
  note: 'it needs Docker',
  journal: sampleJournal({ id: 'N7f' }),
})

const evidenceOf = (...records: (typeof passed)[]) =>
  buildEvidence(sampleFacts, records, { state: 'finished', endedAt: '2025-11-23T01:03:03.456Z', problems: [] })

const exception = (kind: 'slower' | 'control gap', sentence: string) => ({
  id: kind,
  kind,
  sentence,
  remediationTicket: '',
  reviewer: '',
})

describe("a run's summary", () => {
  it('says first what became of it, and how many of its drills did what', () => {
    const [first, , heading, , counts] = summaryOf(evidenceOf(passed, left), { exceptions: [] }).split('\n')
    expect(first).toBe('# ✅ Recovery drills: passed')
    expect(heading).toMatch(/^PostgreSQL 18\.4, embedded · nightly run .* 60\.0 s/)
    expect(counts).toBe('**1 passed, 0 failed, 0 unknown, 1 not exercised**')
  })

  it('says in its heading of what part it was, and how many files were not begun', () => {
    const evidence = buildEvidence({ ...sampleFacts, selection: ['drills/<b>'] }, [passed], {
      state: 'interrupted',
      problems: [{ kind: 'file-not-run', message: 'drills/x.spec.ts was to be run, and was not' }],
    })
    const text = summaryOf(evidence, { exceptions: [] })
    expect(text).toMatch(
      /^# ❓ Recovery drills: unknown, interrupted \(2 of \d\d drills: a selection, drills\/&lt;b&gt;\)\n/,
    )
    expect(text).toContain('**1 passed, 0 failed, 0 unknown, 0 not exercised, 1 file not begun**')
  })

  it('has the RTO and RPO beside the objective and the size', () => {
    const text = summaryOf(evidenceOf(passed), { exceptions: [] })
    expect(text).toContain('| P1 | 4.25 s of 4 s, missed ❌ | 0.50 s | 37.0 MB of base backup |')
    expect(text).not.toContain('What did not pass')
  })

  it('names what was not exercised, with the reason', () => {
    expect(summaryOf(evidenceOf(passed, left), { exceptions: [] })).toContain('- N7f, a full archive: it needs Docker')
  })

  it('shows what failed as text, whatever stands in it', () => {
    const text = summaryOf(evidenceOf(failed), { exceptions: [] })
    expect(text).toMatch(/^# ❌ Recovery drills: failed\n/)
    const row = text.split('\n').find(line => line.startsWith('| N1 | failed |')) ?? ''
    expect(row.replaceAll('\\|', '').match(/\|/g)).toHaveLength(5)
    expect(row).toContain('alarm-quiet: ')
    expect(text).not.toMatch(/<img|[^\\]\*\*not bold|[^\\]`code|[^\\]\[link/)
  })

  it('tells what is wrong with the run itself', () => {
    const evidence = buildEvidence(sampleFacts, [], { state: 'interrupted', problems: [] })
    const text = summaryOf(evidence, { exceptions: [] })
    expect(text).toMatch(/^# ❓ Recovery drills: unknown, interrupted\n/)
    expect(text).toContain('- interrupted: the run was cut off\n- nothing-executed: no drill was executed')
  })

  it('warns of what became slower, counts controls without a drill, and ends with the matrix and the digest', () => {
    const text = summaryOf(evidenceOf(passed), {
      exceptions: [exception('slower', 'P1 took twice'), exception('control gap', 'CP-4 has none')],
      matrix: '| fault | drill |\n|---|---|\n',
      digest: 'abc123',
    })
    expect(text).toContain('; 1 controls without a drill that passed')
    expect(text).toContain('## Slower than before\n\n- P1 took twice\n')
    expect(text).toContain(
      '<details><summary>Faults and signals</summary>\n\n| fault | drill |\n|---|---|\n\n</details>',
    )
    expect(text).toMatch(/whether it is still the same: `abc123`\n$/)
  })
})
