// What the reports' tests start from: a run, and a drill that passed.
import type { Step } from '../helpers/evidence/evidence.ts'
import type { JournalRecord } from '../helpers/evidence/journal.ts'
import type { Progress } from '../helpers/evidence/progress.ts'
import type { RunFacts } from '../helpers/evidence/run-facts.ts'
import type { DrillRecord } from './build-evidence.ts'

const MOMENT = '2025-11-23T01:02:03.456Z'

export const sampleFacts: RunFacts = {
  id: '20251123T010203-1',
  directory: '/tmp/reports/out/20251123T010203-1',
  startedAt: MOMENT,
  kind: 'nightly',
  selection: [],
  startedBy: { name: 'Ada Lovelace', source: 'git' },
  suite: { name: 'pg-recovery-drills', version: '0.1.0', commit: 'unknown', runbookSha256: '0'.repeat(64) },
  runtime: { name: 'embedded', reason: 'no Docker daemon answers', serverVersion: '18.4', capabilities: [] },
  machine: {
    platform: 'linux',
    os: 'Debian GNU/Linux 12 (bookworm)',
    kernel: 'Linux 6.1.0',
    architecture: 'x64',
    cores: 2,
    memoryBytes: 8_000_000_000,
    node: 'v20.20.2',
  },
  config: {},
  require: [],
  leftOut: [],
  secrets: [],
}

export function sampleStep(step: Partial<Step> = {}): Step {
  return {
    title: 'Take a base backup',
    startedAt: MOMENT,
    durationSeconds: 0.21,
    verdict: 'passed',
    observations: {},
    steps: [],
    ...step,
  }
}

export function sampleProgress(progress: Partial<Progress> = {}): Progress {
  return {
    number: 1,
    what: 'base backup',
    unit: 'bytes',
    done: 100e6,
    of: 400e6,
    seconds: 5,
    hasEnded: false,
    ...progress,
  }
}

export function sampleJournal(journal: Partial<JournalRecord> = {}): JournalRecord {
  return {
    id: 'P1',
    runbook: '3',
    startedAt: MOMENT,
    steps: [sampleStep()],
    proofs: ['the rows are there'],
    kept: [],
    sizes: {},
    deviations: [],
    attached: [],
    problems: [],
    ...journal,
  }
}

export function sampleRecord(record: Partial<DrillRecord> = {}): DrillRecord {
  return {
    title: 'recovery to an LSN',
    file: 'drills/recovery/pitr-to-lsn.spec.ts',
    tags: ['recovery'],
    id: 'P1',
    runbook: '3',
    journal: sampleJournal(),
    state: 'passed',
    errors: [],
    cancelled: false,
    passDoubted: false,
    startedAt: MOMENT,
    durationSeconds: 4.8,
    ...record,
  }
}
