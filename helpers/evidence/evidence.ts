import { z } from 'zod'
import { SIGNAL_NAMES } from '../escalation/signal.ts'

/** A moment, as ISO 8601 in UTC with milliseconds. */
const moment = z.iso.datetime()
const seconds = z.number().nonnegative()

/**
 * What became of a drill, or of one proof in it.
 * `unknown` is a proof that is missing: the checker crashed, the run was cut off. Never a pass.
 */
const verdictSchema = z.enum(['passed', 'failed', 'unknown', 'not exercised'])
export type Verdict = z.infer<typeof verdictSchema>

/** Plain data that a step saw: numbers, texts, lists of them. Never a secret, never a row of a user's data. */
const observationsSchema = z.record(z.string(), z.json())
export type Observations = z.infer<typeof observationsSchema>

const stepSchema = z.object({
  title: z.string().describe('What was done, as the operator would say it; read in order, the titles are the runbook'),
  startedAt: moment,
  durationSeconds: seconds,
  verdict: verdictSchema,
  observations: observationsSchema,
  get steps() {
    return z.array(stepSchema)
  },
})
export type Step = z.infer<typeof stepSchema>

const objectiveVerdictSchema = z
  .enum(['met at this size', 'missed', 'no objective'])
  .describe('Against the objective the user set. A drill on made-up data says nothing about a larger database.')

const rtoSchema = z.object({
  seconds: seconds.describe('From the incident until the application is healthy on the recovered server'),
  phases: z.array(z.object({ name: z.string(), seconds })).describe('In order, without gaps: they add up to `seconds`'),
  objectiveSeconds: seconds.optional(),
  verdict: objectiveVerdictSchema,
})
export type Rto = z.infer<typeof rtoSchema>

const predictionSchema = z.object({
  databaseBytes: z.number().nonnegative().describe('Of the base backup, all its files'),
  walBytes: z.number().nonnegative().describe('From where replay begins to the target'),
  seconds: seconds.describe('From the incident until the application is healthy, were the recovery of that size'),
  phases: z.array(z.object({ name: z.string(), seconds })).describe('They add up to `seconds`'),
  assumptions: z.array(z.string()).describe('What must hold for it, in a sentence each, with the rates measured here'),
})
export type Prediction = z.infer<typeof predictionSchema>

const rpoSchema = z.object({
  seconds: seconds.describe(
    'From the last commit that was recovered to the last that was acknowledged: what has to be entered again. Of a backup of the user, whose commits nobody has noted: to when the restore began, so that no more than that is lost',
  ),
  promisedCommits: z.number().int().nonnegative().optional().describe('Acknowledged before the target'),
  missingCommits: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('Promised, and not on the recovered server: must be none'),
  discardedCommits: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('Acknowledged after the target or in WAL that was never archived: gone, to be entered again'),
  walBytes: z
    .number()
    .nonnegative()
    .optional()
    .describe('WAL from where recovery ended to the last commit that is not there'),
  discarded: z
    .array(
      z.object({
        commit: z.string(),
        actor: z.string(),
        xid: z.string().optional(),
        acknowledgedAt: z.string().optional(),
      }),
    )
    .optional()
    .describe('Each of the discarded commits, in the order in which they were sent'),
  undecidedCommits: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('In flight at the target: either outcome is right'),
  objectiveSeconds: seconds.optional(),
  verdict: objectiveVerdictSchema,
})
export type Rpo = z.infer<typeof rpoSchema>

const sizesSchema = z.object({
  baseBackupBytes: z.number().int().nonnegative().optional(),
  databaseBytes: z.number().int().nonnegative().optional(),
  replayedWalBytes: z.number().int().nonnegative().optional(),
  rows: z.number().int().nonnegative().optional(),
})
export type Sizes = z.infer<typeof sizesSchema>

const deviationSchema = z.object({
  section: z.string().describe("The runbook's section and step: '3.4'"),
  what: z.string().describe('What the drill had to do that the runbook does not say'),
  why: z.string(),
  proposedText: z.string().describe('What we propose that the runbook say'),
})
export type Deviation = z.infer<typeof deviationSchema>

const cellSchema = z.enum(['fires', 'quiet'])

const faultSchema = z.object({
  fault: z.string().describe('As the matrix of faults and signals names it'),
  signals: z
    .record(z.enum(SIGNAL_NAMES), cellSchema)
    .describe('What each signal of §4 did while the fault was there, for longer than the window'),
  windowSeconds: seconds.describe('How long a condition must last before its signal fires'),
  secondsToFire: z.partialRecord(z.enum(SIGNAL_NAMES), seconds).describe('From the fault, of each signal that fired'),
  looks: z.number().int().positive().describe('How often the detectors had looked by then, since before the fault'),
})
export type FaultSeen = z.infer<typeof faultSchema>

const problemSchema = z.object({
  kind: z.string().describe("A failure's short name, or the name of the error's class"),
  message: z.string(),
  evidence: observationsSchema.optional(),
  stack: z.string().optional(),
})
export type Problem = z.infer<typeof problemSchema>

/** Seconds since the drill began. */
const drillSeconds = z.number()

const timelineSchema = z
  .object({
    replays: z.array(
      z.object({
        server: z.string(),
        targetLsn: z.string().optional(),
        points: z.array(z.object({ seconds: drillSeconds, lsn: z.string() })),
      }),
    ),
    signals: z.array(
      z.object({
        signal: z.enum(SIGNAL_NAMES),
        windowSeconds: seconds.describe('How long its condition must last before it fires'),
        states: z
          .array(z.object({ seconds: drillSeconds, state: z.enum(['quiet', 'pending', 'firing']) }))
          .describe('Each change, the first look before it'),
      }),
    ),
    events: z.array(z.object({ seconds: drillSeconds, what: z.string() })),
  })
  .describe('What was seen over time, in seconds since the drill began')
export type Timeline = z.infer<typeof timelineSchema>

const attachedSchema = z.object({
  path: z.string().describe("Within the bundle: 'drills/P1/server-restored.log'"),
  what: z.string(),
})
export type Attached = z.infer<typeof attachedSchema>

export const drillSchema = z.object({
  id: z.string().describe("The scenario's stable id: 'P1'"),
  title: z.string(),
  file: z.string(),
  runbook: z.string().describe("The runbook's section that it drills"),
  tags: z.array(z.string()),
  verdict: verdictSchema,
  reason: z.string().optional().describe('Of `not exercised` and `unknown`'),
  problems: z.array(problemSchema),
  startedAt: moment,
  durationSeconds: seconds,
  steps: z.array(stepSchema),
  kept: z.array(z.string()).describe('Where data is that the user keeps, and how to look at it'),
  proofs: z.array(z.string()).describe('What was proven, in a sentence each; a drill without any is never passed'),
  rto: rtoSchema.optional(),
  rpo: rpoSchema.optional(),
  predictions: z.array(predictionSchema).optional().describe('Of the same recovery, were it larger'),
  sizes: sizesSchema,
  deviations: z.array(deviationSchema),
  timeline: timelineSchema.optional(),
  attached: z.array(attachedSchema).describe('Files of the bundle that belong to it'),
  faults: z.array(faultSchema).optional().describe('Of a negative drill, each of its faults: rows of the matrix'),
  sabotage: z
    .string()
    .optional()
    .describe('What was broken on purpose to see the drill fail; such a drill is evidence of nothing else'),
})
export type Drill = z.infer<typeof drillSchema>

const previousSchema = z.object({
  runId: z.string(),
  digest: z.string().describe('SHA-256 of its SHA256SUMS, as hex'),
})

export const evidenceSchema = z.object({
  schemaVersion: z.literal(2),
  run: z.object({
    id: z.string(),
    kind: z
      .enum(['core', 'nightly', 'soak', 'live', 'sabotage'])
      .describe('What it was started for; one with sabotages proves nothing but that drills turn red'),
    selection: z.array(z.string()).describe('Paths and tags that narrowed it'),
    startedBy: z
      .object({ name: z.string(), source: z.string().describe('Where the name is from'), url: z.string().optional() })
      .describe('Who ran it, from CI or git'),
    previous: previousSchema
      .nullable()
      .optional()
      .describe(
        'The run before it in its history: null of the first; none of a run that has not ended, or is of no history',
      ),
    shard: z
      .object({ index: z.number().int().positive(), count: z.number().int().positive() })
      .optional()
      .describe('Which part of a run it is that was spread over several machines; by itself it is no whole run'),
    shards: z.array(z.string()).optional().describe('Ids of the runs that it was put together from'),
    state: z.enum(['running', 'finished', 'interrupted']).describe('A record that still says `running` was cut off'),
    verdict: verdictSchema,
    startedAt: moment,
    endedAt: moment.optional(),
    problems: z.array(problemSchema).describe('Of the run as a whole: a leftover, an error outside any drill'),
  }),
  suite: z.object({
    name: z.string(),
    version: z.string(),
    commit: z.string().describe("Of the suite's checkout; `-dirty` behind it when it was changed"),
    runbookSha256: z.string().describe('Of drills/runbook.md: the version of the procedure'),
  }),
  runtime: z.object({
    name: z.enum(['docker', 'embedded']),
    reason: z.string(),
    serverVersion: z.string(),
    image: z.string().optional(),
    imageDigest: z.string().optional(),
    programs: z
      .array(z.object({ name: z.string(), sha256: z.string() }))
      .optional()
      .describe("The server's programs on the embedded runtime"),
    capabilities: z.array(z.string()),
  }),
  machine: z.object({
    platform: z.string(),
    os: z.string().describe("As it calls itself: 'Debian GNU/Linux 12 (bookworm)'"),
    kernel: z.string(),
    architecture: z.string(),
    cores: z.number().int(),
    memoryBytes: z.number().int(),
    node: z.string(),
  }),
  config: z.record(z.string(), z.string()).describe('As set, secrets redacted'),
  drills: z.array(drillSchema),
})
export type Evidence = z.infer<typeof evidenceSchema>
