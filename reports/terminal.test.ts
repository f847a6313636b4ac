import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { buildDrill, buildEvidence, type DrillRecord } from './build-evidence.ts'
import { sampleFacts, sampleJournal, sampleRecord } from './sample.ts'
import { TerminalText } from './terminal.ts'

const plain = new TerminalText(80, false)

const recovered = sampleRecord({
  journal: sampleJournal({
    rto: { seconds: 3.214, objectiveSeconds: 60, phases: [], verdict: 'met at this size' },
    rpo: {
      seconds: 12.5,
      objectiveSeconds: 5,
      promisedCommits: 100,
      missingCommits: 0,
      discardedCommits: 3,
      walBytes: 4096,
      discarded: [],
      undecidedCommits: 0,
      verdict: 'missed',
    },
    sizes: { baseBackupBytes: 24_300_000, rows: 12_000 },
    deviations: [{ section: '3.4', what: 'set a target', why: 'there is none', proposedText: 'set one' }],
  }),
})

const failed = sampleRecord({
  state: 'failed',
  journal: sampleJournal({ id: 'N1', runbook: '4' }),
  errors: [
    {
      name: 'Failure',
      kind: 'wrong-signal',
      message: 'the signal names segment 000000010000000000000004, and 000000010000000000000003 was lost',
      evidence: { named: ['000000010000000000000004'], lost: '000000010000000000000003' },
      stack: '    at ours (/suite/a.spec.ts:1:2)',
    },
  ],
})

const crashed = sampleRecord({
  state: 'failed',
  journal: sampleJournal({ id: 'P9' }),
  errors: [{ name: 'TypeError', message: 'x is undefined', stack: '    at ours (/suite/b.spec.ts:1:2)' }],
})

const again = 'DRILL_SEED=4294967295 DRILL_MOMENTS=12 npm run drill:nightly -- drills/recovery/random-moments'
const look =
  "primary: data in /tmp/drill-1/primary/data; start a server on it: echo 'host all all 127.0.0.1/32 trust' > /tmp/drill-1/primary/data/look.conf; /opt/bin/postgres -D /tmp/drill-1/primary/data -p 5433 -k '' -c archive_mode=off"

const momentFailed = sampleRecord({
  state: 'failed',
  journal: sampleJournal({ id: 'P10', kept: [look] }),
  errors: [
    {
      name: 'Failure',
      kind: 'rows-missing',
      message: `3 rows are missing of those that were promised, and 12 are there that should not be (moment 12 of the seed 4294967295: a time, in the middle of it. ${again} draws the same again)`,
    },
  ],
})

const skipped = sampleRecord({
  state: 'skipped',
  note: 'it needs fullArchive: embedded servers share the disk of this machine, and none can fill up alone',
  journal: sampleJournal({ id: 'N7' }),
  durationSeconds: 0,
})

function ended(record: DrillRecord): string[] {
  return plain.ended(buildDrill(record, sampleFacts))
}

function summary(records: DrillRecord[], text = plain): string[] {
  return text.summary(
    buildEvidence(sampleFacts, records, { state: 'finished', problems: [] }),
    'reports/out/1/evidence.json',
  )
}

describe('the terminal', () => {
  it('says first what the run runs on, and why', () => {
    expect(plain.heading(sampleFacts.runtime)).toEqual([
      'PostgreSQL 18.4 on the embedded runtime: no Docker daemon answers',
    ])
  })

  it("puts the drill's id before a step, and hangs a long one", () => {
    expect(
      plain.said('P1', '  ✓ Compare the paused server with what was promised, row by row and all of it 0.21 s'),
    ).toEqual([
      'P1     ✓ Compare the paused server with what was promised, row by row and all of',
      '         it 0.21 s',
    ])
  })

  it('shows a failure with its facts and without a stack', () => {
    expect(ended(failed)).toEqual([
      'N1   ✗ failed after 4.80 s: recovery to an LSN',
      '       wrong-signal: the signal names segment 000000010000000000000004, and',
      '         000000010000000000000003 was lost',
      '         named: ["000000010000000000000004"]',
      '         lost: 000000010000000000000003',
    ])
  })

  it('shows a stack for what is unknown', () => {
    expect(ended(crashed)).toContain('         at ours (/suite/b.spec.ts:1:2)')
  })

  it('shows no stack for what cannot run: its sentence says what to do', () => {
    const record = { ...crashed, errors: [{ name: 'CannotRun', message: 'the disk is full', stack: '    at ours' }] }
    expect(ended(record).join('\n')).not.toContain('at ours')
  })

  it('breaks no command that is there to be copied', () => {
    const command = (lines: string[]) => lines.filter(line => line.includes('npm run'))
    expect(command(ended(momentFailed))).toEqual([`         ${again}`])
    const lines = summary([momentFailed])
    expect(lines).toContain(`       kept: ${look}`)
    // What is too long there is cut off without a mark behind what may be a command.
    const [end = 0] = lines.flatMap((line, index) => (line === '       …' ? [index] : []))
    expect(lines.slice(end - 3, end).join('\n')).toContain('rows-missing')
  })

  it('ends with a table, and with where the evidence is', () => {
    expect(summary([recovered, failed, skipped])).toEqual([
      '',
      'drill  verdict        RTO                  RPO                    took',
      'N1     failed         -                    -                      4.80 s',
      '       wrong-signal: the signal names segment 000000010000000000000004, and',
      '       000000010000000000000003 was lost',
      'N7     not exercised  -                    -                      -',
      '       it needs fullArchive: embedded servers share the disk of this machine,',
      '       and none can fill up alone',
      'P1     passed         3.21 s of 60 s, met  12.5 s of 5 s, missed  4.80 s',
      '       commits: 100 promised, 0 missing, 3 discarded',
      '       at this size: 24.3 MB of base backup, 12000 rows',
      '       beyond the runbook: one step, with proposed text in the evidence',
      '',
      '✗ run failed: 1 passed, 1 failed, 1 not exercised',
      'evidence: reports/out/1/evidence.json',
    ])
  })

  it('never prints a line of more than 80 columns', () => {
    for (const line of [...summary([recovered, failed, crashed, skipped]), ...ended(failed), ...ended(skipped)]) {
      expect(line.length).toBeLessThanOrEqual(80)
    }
  })

  it('says the same in colour', () => {
    const coloured = summary([recovered, failed, skipped], new TerminalText(80, true))
    expect(coloured.join('')).toContain('\u001b[')
    expect(coloured.map(stripVTControlCharacters)).toEqual(summary([recovered, failed, skipped]))
  })

  it('lets nothing that a drill says steer the terminal', () => {
    expect(plain.said('P1', '✓ \u001b]0;title\u0007\u001b[2Jlog\u0008').join('')).toBe('P1   ✓ log')
  })
})
