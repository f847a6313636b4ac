// What the page's tests start from: a run of four drills, one of each verdict where it failed, written by hand.
import type { Drill, Evidence, Step, Verdict } from '../../helpers/evidence/evidence.ts'
import type { Report } from '../report.ts'
import type { StepOutcome } from '../runbook/coverage.ts'
import { sampleFacts } from '../sample.ts'

const BEGAN = Date.parse('2025-11-23T01:02:03.456Z')

/** The moment so many seconds after the run began. */
function after(seconds: number): string {
  return new Date(BEGAN + seconds * 1000).toISOString()
}

function step(title: string, began: number, durationSeconds: number, more: Partial<Step> = {}): Step {
  return { title, startedAt: after(began), durationSeconds, verdict: 'passed', observations: {}, steps: [], ...more }
}

const bare = {
  tags: ['nightly'],
  problems: [],
  kept: [],
  proofs: [],
  sizes: {},
  deviations: [],
  attached: [],
  steps: [],
} satisfies Partial<Drill>

const oneTarget = {
  section: '3.4',
  what: 'exactly one recovery target was set',
  why: 'without one, recovery replays to the end of the archive, the bad change included, and promotes',
  proposedText: "Set exactly one recovery target, for example: recovery_target_lsn = '0/3000060'.",
}

const recovery: Drill = {
  ...bare,
  id: 'P1',
  title: 'recovery to an LSN keeps every commit before the target and none after',
  file: 'drills/recovery/pitr-to-lsn.spec.ts',
  runbook: '3',
  verdict: 'passed',
  startedAt: after(2),
  durationSeconds: 4.48,
  steps: [
    step('Take a base backup', 2.1, 0.63, {
      observations: { startLsn: '0/30008D8', stopLsn: '0/3025898', timeline: 1, files: 1292 },
    }),
    step('Make the bad change: a DELETE without a WHERE', 2.8, 0.44),
    step('Stop write traffic', 3.3, 0.05, {
      steps: [step('No backend is left', 3.32, 0.02, { observations: { backends: 0, refused: ['api', 'worker'] } })],
    }),
    step('Start it, and watch replay until it pauses at the target', 4.1, 0.35, {
      observations: { replayLsn: '0/44364B8', stopped: 'before WAL location (LSN) "0/44364B8"' },
    }),
    step('Promote, on the next timeline', 5.2, 0.04),
  ],
  proofs: [
    'replay is paused at LSN 0/44364B8, exclusive',
    '44682 promised rows of 768 commits are there unaltered, and none that must not be',
    'the recovered server is on timeline 2',
    'the recovered server is on timeline 2',
  ],
  rto: {
    seconds: 1.08,
    phases: [
      { name: 'noticed', seconds: 0.1 },
      { name: 'base restored', seconds: 0.14 },
      { name: 'target reached', seconds: 0.13 },
      { name: 'verified while paused', seconds: 0.43 },
      { name: 'healthy', seconds: 0.28 },
    ],
    objectiveSeconds: 300,
    verdict: 'met at this size',
  },
  rpo: {
    seconds: 0.58,
    promisedCommits: 768,
    missingCommits: 0,
    discardedCommits: 2,
    walBytes: 2_720_120,
    discarded: [
      { commit: 't1-646', actor: 'writer 1', xid: '1577', acknowledgedAt: '2025-11-23 01:02:05.057896+00' },
      { commit: 'worker-169', actor: 'worker' },
    ],
    undecidedCommits: 3,
    objectiveSeconds: 60,
    verdict: 'met at this size',
  },
  predictions: [
    {
      databaseBytes: 107_374_182_400,
      walBytes: 53_687_091_200,
      seconds: 548.3,
      phases: [
        { name: 'copy and check the base backup', seconds: 401.6 },
        { name: 'all else', seconds: 146.7 },
      ],
      assumptions: ['Disk, network and restore_command are as fast as here.'],
    },
  ],
  sizes: { baseBackupBytes: 37_211_404, replayedWalBytes: 21_191_648, rows: 44_690 },
  deviations: [oneTarget],
  timeline: {
    replays: [
      {
        server: 'restored',
        targetLsn: '0/44364B8',
        points: [
          { seconds: 2.13, lsn: '0/30008D8' },
          { seconds: 2.16, lsn: '0/3A4C000' },
          { seconds: 2.21, lsn: '0/44364B8' },
        ],
      },
    ],
    signals: [],
    events: [
      { seconds: 0.8, what: 'the bad change' },
      { seconds: 2.14, what: 'first WAL fetched' },
      { seconds: 2.15, what: 'consistent' },
      { seconds: 2.21, what: 'target reached' },
    ],
  },
  attached: [{ path: 'drills/P1/server-restored.log', what: "the restored server's log" }],
}

const escalation: Drill = {
  ...bare,
  id: 'N1',
  title: 'a segment lost between backup and target is named before anybody waits for it',
  file: 'drills/escalation/lost-segment.spec.ts',
  runbook: '4',
  verdict: 'passed',
  startedAt: after(8),
  durationSeconds: 5.7,
  steps: [step('Take a base backup', 8.2, 0.4), step('Lose a segment', 9.1, 0.01), step('The signal fires', 9.2, 1.12)],
  proofs: ['the signal missing-archive-segment alone fired 1.12 s after the fault'],
  deviations: [oneTarget],
  timeline: {
    replays: [],
    signals: [
      {
        signal: 'missing-archive-segment',
        windowSeconds: 1,
        states: [
          { seconds: 0.9, state: 'quiet' },
          { seconds: 1.2, state: 'pending' },
          { seconds: 2.22, state: 'firing' },
          { seconds: 3.6, state: 'quiet' },
        ],
      },
      { signal: 'recovery-stall', windowSeconds: 1, states: [{ seconds: 0.9, state: 'quiet' }] },
    ],
    events: [
      { seconds: 1.1, what: 'a segment is lost' },
      { seconds: 3.4, what: 'the segment is put back' },
    ],
  },
  faults: [
    {
      fault: 'segment lost between backup and target',
      signals: {
        'missing-archive-segment': 'fires',
        'wal-growth-without-archiving': 'quiet',
        'recovery-stall': 'quiet',
      },
      windowSeconds: 1,
      secondsToFire: { 'missing-archive-segment': 1.12 },
      looks: 33,
    },
  ],
}

const notExercised: Drill = {
  ...bare,
  id: 'N7f',
  title: 'a full archive is told',
  file: 'drills/escalation/full-archive.spec.ts',
  runbook: '4',
  verdict: 'not exercised',
  reason: 'the runtime embedded cannot do what it needs: fullArchive',
  startedAt: after(0),
  durationSeconds: 0,
}

const failed: Drill = {
  ...recovery,
  id: 'P3',
  title: 'every action at the target does what it says',
  verdict: 'failed',
  problems: [
    {
      kind: 'rows-missing',
      message: '12 promised rows are missing\ncaused by Error: no such table',
      evidence: { missing: ['public.jobs: 12'], expected: 44682 },
      stack: 'at expectPromised (fixtures/expectations.ts:12:3)',
    },
  ],
  proofs: ['the recovered server is on timeline 2'],
  rto: { seconds: 412, phases: [{ name: 'healthy', seconds: 412 }], objectiveSeconds: 300, verdict: 'missed' },
  deviations: [],
}

const unknown: Drill = {
  ...bare,
  id: 'R1',
  title: 'archival settings are as the runbook wants them',
  file: 'drills/readiness/archival-settings.spec.ts',
  runbook: '1',
  verdict: 'unknown',
  reason: 'the run was cut off',
  startedAt: after(15),
  durationSeconds: 0.2,
  steps: [step('Read the settings', 15.1, 0.1, { verdict: 'unknown' })],
}

/** A run that passed, with whatever of it is to be otherwise. */
export function sampleReport(
  run: Partial<Evidence['run']> = {},
  drills: readonly Drill[] = [escalation, notExercised, recovery],
): Report {
  const { suite, runtime, machine } = sampleFacts
  const passed = drills.filter(({ verdict }) => verdict === 'passed').map(({ id }) => id)
  const told = drills.map(({ id, verdict, startedAt }) => ({ id, verdict, at: startedAt }))
  const of = (...ids: string[]) => told.filter(({ id }) => ids.includes(id))
  const covered = (section: string, heading: string, number: string, text: string, ...ids: string[]) => ({
    section,
    heading,
    step: number,
    text,
    drills: of(...ids),
    outcome: outcomeOf(of(...ids).map(({ verdict }) => verdict)),
  })
  const outcomeOf = (verdicts: readonly Verdict[]): StepOutcome => {
    const isCutOff = run.state === 'interrupted'
    if (verdicts.length === 0) return isCutOff ? 'not begun' : 'not part of this run'
    if (verdicts.includes('passed')) return isCutOff ? 'unknown' : 'proven'
    return verdicts.find(verdict => verdict !== 'passed') ?? 'unknown'
  }
  const control = (id: string, title: string, ...ids: string[]) => ({
    standard: 'ISO/IEC 27001:2022',
    id,
    title,
    drills: ids,
    evidence: of(...ids).map(({ id: drill, ...rest }) => ({ drill, ...rest })),
    isSupported: ids.some(one => passed.includes(one)),
    sentence: ids.some(one => passed.includes(one))
      ? `Supports it: ${ids.join(', ')} passed`
      : 'No drill passed for it',
  })
  return {
    evidence: {
      schemaVersion: 2,
      run: {
        id: sampleFacts.id,
        kind: 'nightly',
        selection: [],
        startedBy: { name: 'Ada Lovelace', source: 'GitHub Actions', url: 'https://example.org/runs/7' },
        previous: { runId: '20251122T010203-9', digest: 'ab'.repeat(32) },
        state: 'finished',
        verdict: 'passed',
        startedAt: after(0),
        endedAt: after(115),
        problems: [],
        ...run,
      },
      suite,
      runtime: { ...runtime, programs: [{ name: 'postgres', sha256: 'cd'.repeat(32) }] },
      machine,
      config: { DRILL_RUNTIME: 'embedded', DATABASE_URL: 'postgres://app:[redacted]@db/app' },
      drills: [...drills],
    },
    coverage: [
      covered('1', 'Verify WAL archival state', '1.1', '`archive_mode` = `on`', 'R1'),
      covered(
        '3',
        'Controlled recovery playbook',
        '3.4',
        'Restore the chosen backup and configure recovery target',
        'P1',
      ),
      covered('4', 'Escalation signals', '4.1', 'Missing archive segments beyond recovery target window', 'N1', 'N7f'),
    ],
    controls: [control('A.8.13', 'Information backup', 'P1'), control('A.8.14', 'Redundancy', 'P99')],
    trends: [
      {
        drill: 'P1',
        rto: [1.1, 0.98, 1.02, 1.21, 1.05, 1.08].map((seconds, index, { length }) => ({
          runId: `2025112${index}T010203-1`,
          startedAt: after((index - length + 1) * 86_400),
          seconds,
        })),
        medianSeconds: 1.05,
      },
    ],
    exceptions: [
      {
        id: 'run leftover',
        kind: 'run problem',
        sentence: 'a server was left running',
        remediationTicket: '',
        reviewer: '',
      },
      {
        id: 'N7f not exercised',
        kind: 'not exercised',
        drill: 'N7f',
        sentence: 'N7f was not exercised: the runtime embedded cannot do what it needs: fullArchive',
        remediationTicket: '',
        reviewer: '',
      },
    ],
    keyId: 'ef'.repeat(32),
  }
}

/** A run in which a drill failed, one came to no result, and the time of a recovery missed its objective. */
export function failedReport(): Report {
  const report = sampleReport(
    { verdict: 'failed', problems: [{ kind: 'leftover', message: 'a server was left running' }] },
    [escalation, notExercised, recovery, failed, unknown],
  )
  const { keyId: _unsigned, ...unsigned } = report
  return {
    ...unsigned,
    trends: report.trends.map(trend => ({ ...trend, warning: 'P1 took twice the median of the last runs' })),
  }
}

/** A run that was cut off. */
export function interruptedReport(): Report {
  return sampleReport(
    {
      state: 'interrupted',
      verdict: 'unknown',
      problems: [
        { kind: 'interrupted', message: 'the run was cut off' },
        ...['pitr-to-lsn', 'every-target'].map(name => ({
          kind: 'file-not-run',
          message: `drills/recovery/${name}.spec.ts was to be run, and was not`,
        })),
      ],
    },
    [escalation, unknown],
  )
}
