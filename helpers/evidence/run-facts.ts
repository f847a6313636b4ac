import type { Evidence, Problem, Verdict } from './evidence.ts'

/** What is known of a run once it knows what it runs on: all that its evidence says beside its drills. */
export interface RunFacts {
  id: string
  /** Where the run leaves what it leaves: `reports/out/<id>`, absolute. */
  directory: string
  /** ISO 8601 in UTC. */
  startedAt: string
  /** When it ended, where that is not now: of one that is put together from shards. */
  endedAt?: string
  kind: Evidence['run']['kind']
  selection: string[]
  startedBy: Evidence['run']['startedBy']
  shard?: NonNullable<Evidence['run']['shard']>
  shards?: string[]
  suite: Evidence['suite']
  runtime: Evidence['runtime']
  machine: Evidence['machine']
  /** As set, secrets redacted. */
  config: Record<string, string>
  /** Ids of drills, and capabilities, for which `not exercised` fails the run. */
  require: string[]
  /** Ids of drills whose files the selection leaves out, so that they are not even loaded. */
  leftOut: string[]
  /** Texts that may stand in no report: the run's password. */
  secrets: string[]
}

/** How a run ended, for the command that started it. 0: passed; 1: a drill failed or is unknown; 2: it could not run. */
interface RunOutcome {
  verdict: Verdict
  exitStatus: 0 | 1 | 2
}

interface Announced {
  facts?: RunFacts
  /** Of the run as a whole. */
  problems: Problem[]
  outcome?: RunOutcome
  /** What the run leaves is being sealed: its record is closed. */
  isSealed?: true
  listener?: () => void
}

/**
 * What the run's setup, its reporter and the command that started it tell each other. Vite loads each of them as a module
 * of its own, so what they share hangs on the process, not on a module.
 */
const KEY = Symbol.for('pg-recovery-drills.run')

function announcedHere(): Announced {
  const holder = globalThis as { [KEY]?: Announced }
  holder[KEY] ??= { problems: [] }
  return holder[KEY]
}

/** Everything announced so far. */
export function announced(): Readonly<Omit<Announced, 'listener'>> {
  return announcedHere()
}

/** Calls `listener` after each announcement. There is one listener, the run's reporter; what it throws reaches the announcer. */
export function onAnnouncement(listener: () => void): void {
  announcedHere().listener = listener
}

/** To be called as soon as the runtime is known. The reporter puts the first record on disk, now or when vitest starts it. Returns `facts`. */
export function announceRun(facts: RunFacts): RunFacts {
  const here = announcedHere()
  here.facts = facts
  here.listener?.()
  return facts
}

/** Something about the run as a whole that makes it `unknown`, such as a leftover. May come when the drills have ended. */
export function announceProblem(problem: Problem): void {
  const here = announcedHere()
  here.problems.push(problem)
  here.listener?.()
}

/** Called by the reporter; `announced().outcome` is then what the command exits with. */
export function concludeRun(outcome: RunOutcome): void {
  announcedHere().outcome = outcome
}

/** To be called before what the run leaves is sealed: from then on nothing may be written to it. */
export function sealRun(): void {
  announcedHere().isSealed = true
}
