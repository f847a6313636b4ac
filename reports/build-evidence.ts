import { z } from 'zod'
import { requiredBy } from '../helpers/config.ts'
import { byId } from '../helpers/evidence/declared-drills.ts'
import {
  type Drill,
  drillSchema,
  type Evidence,
  type Problem,
  type Step,
  type Verdict,
} from '../helpers/evidence/evidence.ts'
import { faultsOf } from '../helpers/evidence/faults.ts'
import type { JournalRecord } from '../helpers/evidence/journal.ts'
import { redact } from '../helpers/evidence/redact.ts'
import type { RunFacts } from '../helpers/evidence/run-facts.ts'
import { fromError, fromNote, type JudgedProblem, type SerializedError } from './problem.ts'

/** What is known of one drill when it ends, as plain data. */
export interface DrillRecord {
  title: string
  file: string
  tags: readonly string[]
  /** As declared beside the title; missing where somebody forgot it. */
  id?: string
  runbook?: string
  journal?: JournalRecord
  /** What is broken on purpose. */
  sabotage?: string
  state: 'passed' | 'failed' | 'skipped' | 'pending'
  /** Why it was skipped. */
  note?: string
  errors: readonly SerializedError[]
  /** It had not ended when the run was cancelled. */
  cancelled: boolean
  /** It passed only after it had failed, or is declared to fail: neither proves anything. */
  passDoubted: boolean
  startedAt?: string
  durationSeconds: number
}

export interface RunProgress {
  state: Evidence['run']['state']
  endedAt?: string
  /** Of the run as a whole. */
  problems: readonly Problem[]
}

interface Judgement {
  verdict: Verdict
  reason?: string
}

/** The record of a run: redacted, plain data, and valid whatever the drills left in their journals. */
export function buildEvidence(facts: RunFacts, records: readonly DrillRecord[], progress: RunProgress): Evidence {
  const drills = records.map(record => buildDrill(record, facts)).sort((a, b) => byId.compare(a.id, b.id))
  const required = progress.state === 'running' ? [] : requiredButMissing(drills, facts)
  const shortcomings = progress.state === 'running' ? [] : shortcomingsOf(drills, facts, progress)
  const problems = eachOnce([...progress.problems, ...required, ...shortcomings], problem => problem)
  const evidence: Evidence = {
    schemaVersion: 2,
    run: {
      id: facts.id,
      kind: facts.kind,
      selection: facts.selection,
      startedBy: facts.startedBy,
      ...(facts.shard && { shard: facts.shard }),
      ...(facts.shards && { shards: facts.shards }),
      state: progress.state,
      verdict: progress.state === 'running' ? 'unknown' : runVerdict(drills, problems, required.length > 0),
      startedAt: facts.startedAt,
      ...(progress.endedAt !== undefined && { endedAt: progress.endedAt }),
      problems,
    },
    suite: facts.suite,
    runtime: facts.runtime,
    machine: facts.machine,
    config: facts.config,
    drills,
  }
  return redact(evidence, facts.secrets) as Evidence
}

/** One drill's part of the evidence, redacted. */
export function buildDrill(record: DrillRecord, facts: Pick<RunFacts, 'startedAt' | 'secrets'>): Drill {
  const judged = problemsOf(record)
  const problems = judged.map(({ problem }) => problem)
  const { journal } = record
  const bare = {
    id: journal?.id ?? record.id ?? '?',
    title: record.title,
    file: record.file,
    runbook: journal?.runbook ?? record.runbook ?? '',
    tags: [...record.tags],
    startedAt: record.startedAt ?? journal?.startedAt ?? facts.startedAt,
    durationSeconds: record.durationSeconds,
    steps: [],
    sizes: {},
    proofs: [],
    kept: [],
    deviations: [],
    attached: [],
    ...(record.sabotage !== undefined && { sabotage: record.sabotage }),
  }
  const full = redact({ ...bare, ...judge(record, judged), problems, ...fromJournal(journal) }, facts.secrets)
  const parsed = drillSchema.safeParse(full)
  if (parsed.success) return parsed.data
  const unreadable = {
    kind: 'JournalError',
    message: `the journal is not what evidence can hold: ${z.prettifyError(parsed.error)}`,
  }
  const verdict = judged.some(one => one.verdict === 'failed') ? 'failed' : 'unknown'
  const told = problems.map(({ kind, message }) => ({ kind, message }))
  return redact(
    { ...bare, verdict, reason: unreadable.message, problems: [...told, unreadable] },
    facts.secrets,
  ) as Drill
}

function fromJournal(journal: JournalRecord | undefined): Partial<Drill> {
  if (!journal) return {}
  const { problems: _noted, id: _id, runbook: _runbook, startedAt: _startedAt, ...told } = journal
  return told
}

/** What went wrong in a drill, each once: an error may have been noted in the journal before it was thrown on. */
function problemsOf(record: DrillRecord): JudgedProblem[] {
  const thrown = eachOnce(record.errors.map(fromError), ({ problem }) => problem)
  const noted = (record.journal?.problems ?? [])
    .map(fromNote)
    .filter(
      ({ problem }) =>
        !thrown.some(one => one.problem.kind === problem.kind && one.problem.message.startsWith(problem.message)),
    )
  const all = [...thrown, ...noted]
  return all.length > 0 || !hasEndedWell(record) ? all : contradictions(record).map(fromNote)
}

/** A drill that was cut off, or has not ended yet, leaves steps that failed and that nobody went on from. */
function hasEndedWell({ state, cancelled }: DrillRecord): boolean {
  return state === 'passed' || (state === 'skipped' && !cancelled)
}

/** Of a drill that ended well although its own journal says otherwise: a failure was caught on its way out, or never looked at. */
function contradictions({ journal }: DrillRecord): Problem[] {
  if (!journal) return []
  const failed = allSteps(journal.steps).filter(step => step.verdict === 'failed')
  const missing = journal.rpo?.missingCommits ?? 0
  return [
    ...failed.map(step => ({ kind: 'step-failed', message: `the step "${step.title}" failed, and the drill went on` })),
    ...(missing > 0 ? [{ kind: 'promised-commits-missing', message: `${missing} promised commits are missing` }] : []),
  ]
}

function judge(record: DrillRecord, problems: readonly JudgedProblem[]): Judgement {
  // What breaks while a run is being cut off was broken by that.
  if (record.cancelled && record.state !== 'passed') return { verdict: 'unknown', reason: 'the run was cut off' }
  if (problems.some(({ verdict }) => verdict === 'failed')) return { verdict: 'failed' }
  const [first] = problems
  if (first) return { verdict: 'unknown', reason: `the check itself did not work: ${first.problem.message}` }
  const doubt = doubtOf(record)
  if (doubt !== undefined) return { verdict: 'unknown', reason: doubt }
  return record.state === 'skipped' ? { verdict: 'not exercised', reason: record.note ?? '' } : { verdict: 'passed' }
}

/** Why a drill in which nothing went wrong still proves nothing. */
function doubtOf({ state, note, journal, id, runbook, passDoubted }: DrillRecord): string | undefined {
  if (state === 'pending') return 'it did not end'
  if (state === 'failed') return 'it failed without an error'
  if (state === 'skipped' && !note?.trim()) return 'it was skipped without a reason'
  if (!(journal?.id ?? id)) return 'it has no id of a scenario in its metadata'
  if (!(journal?.runbook ?? runbook)) return 'it does not say which section of the runbook it drills'
  if (!journal) return 'it has no journal'
  if (state === 'skipped') return undefined
  if (passDoubted) return 'it is declared to fail, or passed only after it had failed'
  if (journal.steps.length === 0) return 'it passed without a single step'
  if (journal.proofs.length === 0) return 'it passed without having proven anything'
  const overlooked = faultsOf(journal.id).find(({ fault }) => !journal.faults?.some(seen => seen.fault === fault))
  if (overlooked) return `it did not look at what the signals do at the fault '${overlooked.fault}'`
  const open = allSteps(journal.steps).find(step => step.verdict === 'unknown')
  return open && `the step "${open.title}" has no outcome`
}

/** Steps and those within them. */
export function allSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap(step => [step, ...allSteps(step.steps)])
}

/** A mistake that every file meets is one problem, and so is what vitest tells of twice. */
function eachOnce<T>(all: readonly T[], problemOf: (one: T) => Problem): T[] {
  const keyOf = (one: T) => `${problemOf(one).kind}: ${problemOf(one).message}`
  return all.filter((one, index) => all.findIndex(other => keyOf(other) === keyOf(one)) === index)
}

function runVerdict(drills: readonly Drill[], problems: readonly Problem[], requiredMissing: boolean): Verdict {
  if (requiredMissing || drills.some(drill => drill.verdict === 'failed')) return 'failed'
  if (problems.length > 0 || drills.some(drill => drill.verdict === 'unknown')) return 'unknown'
  return hasExecuted(drills) ? 'passed' : 'not exercised'
}

function hasExecuted(drills: readonly Drill[]): boolean {
  return drills.some(({ verdict }) => verdict !== 'not exercised')
}

/** What `DRILL_REQUIRE` names and this run lacks. Whether Docker is there is decided when the runtime is opened. */
function requiredButMissing(
  drills: readonly Drill[],
  { require, runtime }: Pick<RunFacts, 'require' | 'runtime'>,
): Problem[] {
  const required = requiredBy({ require })
  const executed = drills.filter(drill => drill.verdict !== 'not exercised').map(({ id }) => id)
  const missing = (name: string, why: string): Problem => ({
    kind: 'required-not-exercised',
    message: `DRILL_REQUIRE names ${name}, which ${why}`,
  })
  return [
    ...required.drills
      .filter(name => !executed.includes(name))
      .map(name => missing(name, 'was not exercised in this run')),
    ...required.capabilities
      .filter(name => !runtime.capabilities.includes(name))
      .map(name => missing(name, `the ${runtime.name} runtime does not have`)),
  ]
}

/** Two drills of one id cannot be told apart in the evidence; sabotaged ones are told apart by what was broken. */
function repeatedIds(drills: readonly Drill[]): Problem[] {
  const names = drills.map(({ id, sabotage }) => `${id} ${sabotage ?? ''}`.trim())
  const repeated = [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
  return repeated.map(name => ({ kind: 'repeated-id', message: `more than one drill has the id ${name}` }))
}

function shortcomingsOf(drills: readonly Drill[], { shard }: RunFacts, { state }: RunProgress): Problem[] {
  return [
    ...repeatedIds(drills),
    ...(state === 'interrupted' ? [{ kind: 'interrupted', message: 'the run was cut off' }] : []),
    // What falls to a shard may be nothing, or all of it for another runtime: the run that it is merged into is judged by that.
    ...(hasExecuted(drills) || shard ? [] : [{ kind: 'nothing-executed', message: 'no drill was executed' }]),
  ]
}
