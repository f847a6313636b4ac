import type { Lsn } from '../postgres/lsn.ts'
import { SAID_BY_SERVER } from '../postgres/server-log.ts'
import { lastAdvanceMs, newestRestored } from '../recovery/recovery-advance.ts'
import { progressOf, type RecoverySightings } from '../recovery/recovery-course.ts'
import { describeTarget, type RecoveryTarget } from '../recovery/recovery-target.ts'
import { type TimeLeft, timeLeft } from '../recovery/time-left.ts'
import { mebibytes } from './other-growth.ts'
import type { Finding } from './signal.ts'

/** Why a recovery comes no further. */
export type StallCause =
  /** It neither ends nor says anything. One that tries again and again in silence looks the same. */
  | 'restore-command-hanging'
  /** It does not end and complains of the same again and again; or PostgreSQL itself asks for one file without end, in standby mode. */
  | 'restore-command-retrying'
  | 'paused-by-operator'
  /** `max_connections` or its like is lower than the primary's was: replay pauses, or the server does not even start. */
  | 'insufficient-parameters'
  /** The server ends, is started again, and ends at the same place. */
  | 'crash-loop'
  /** Nothing is known of it any more, though it runs. */
  | 'unseen'
  | 'unexplained'

export interface RecoveryStall extends Finding {
  name: 'recovery-stall'
  cause: StallCause
  /** The segment that is waited for, where restore_command is what is waited for. */
  file: string | undefined
  /** What the server or its restore_command has said of it. */
  complaint: string | undefined
  /** How far replay has come; undefined before that was seen. */
  replayedTo: Lsn | undefined
}

/** An objective, and since when the time runs. */
export interface RtoClock {
  seconds: number
  /** As `performance.now()`, in milliseconds: of the incident. */
  sinceMs: number
}

/** Of a recovery that goes on. */
export interface RecoveryEstimate extends TimeLeft {
  /** Whether it comes to its target within the objective, at the rate so far; undefined without an objective. */
  makesIt: boolean | undefined
  /** For the one who asks how long it will take. */
  sentence: string
}

export interface RecoveryStallReport {
  /** One at the most. */
  findings: readonly RecoveryStall[]
  /** None before replay has a rate, once it is at its target, without an LSN to go to, and for what stands still. */
  estimate: RecoveryEstimate | undefined
}

/** One start of a server on its restored base. */
type RecoveryStart = RecoverySightings & { isRunning: boolean }

export interface RecoveryObservation {
  /** For the reader. */
  at: string
  /** Of the clock of the sightings, in milliseconds. */
  nowMs: number
  /** Of the server. */
  server: string
  target: RecoveryTarget
  /** The oldest first: of more than one, the last is what goes on, and the others tell a crash loop. */
  starts: readonly RecoveryStart[]
  /** The end of the archive: how far a target that is no LSN can be. */
  archiveEnd?: Lsn | undefined
  rto?: RtoClock | undefined
}

/**
 * What "Recovery command stalls before `restore` completion" finds in what was seen of one server's recovery: between the last two
 * looks it came no further. How long that may be so is the policy's to say, and its window has to be longer than what moves
 * nothing takes: the fetch or the replay of one segment, and before the first consistent point, where PostgreSQL tells of no
 * LSN more often, `log_startup_progress_interval`.
 *
 * No stall: a recovery that waits at its target, or is past it and busy with its last checkpoint; one that was promoted, was
 * shut down, or has refused to go on and was left so, which its exit tells.
 */
export function detectRecoveryStall(observation: RecoveryObservation): RecoveryStallReport {
  const { starts } = observation
  const start = starts.at(-1)
  if (!start || says(start, PROMOTED)) return { findings: [], estimate: undefined }
  const stall = crashLoopIn(starts) ?? (start.isRunning ? stallOf(start, observation.nowMs) : undefined)
  if (stall) return { findings: [findingOf(stall, start, observation)], estimate: undefined }
  const goesOn = start.isRunning && !says(start, AT_TARGET)
  return { findings: [], estimate: goesOn ? estimateOf(start, observation) : undefined }
}

const PROMOTED = /LOG: {2}(?:archive recovery complete|database system is ready to accept connections)/
/** Or at the end of all there is. */
const AT_TARGET = /LOG: {2}(?:recovery stopping (?:before|after|at) |redo done at )/
const INSUFFICIENT = /insufficient parameter settings/
const ORDERLY = /LOG: {2}(?:received (?:smart|fast|immediate) shutdown request|shutdown at recovery target)/
const GIVEN_UP = /\] (?:startup|postmaster) (?:FATAL|PANIC): {2}(.*)|(startup process \(PID \d+\) was terminated by .*)/
/** @see PostgreSQL source, `RecoveryRequiresIntParameter` in `src/backend/access/transam/xlogrecovery.c` */
const LOWER = /DETAIL: {2}(\S+ = \d+ is a lower setting than on the primary server, .*)/
/** @see PostgreSQL source, `WaitForWALToBecomeAvailable` in the same file */
const ASKS_AGAIN = /LOG: {2}waiting for WAL to become available at /

type Stall = Pick<RecoveryStall, 'cause'> & Partial<Pick<RecoveryStall, 'file' | 'complaint'>> & { detail?: string }

/** From one look to the next, at the least; with a server's looks farther apart, four of them. */
const SILENT_MS = 5_000

function stallOf(start: RecoveryStart, nowMs: number): Stall | undefined {
  const { samples } = start
  const [before, newest] = [samples.at(-2), samples.at(-1)]
  const lastSeenMs = newest?.atMs ?? start.startedAtMs
  const everyMs = before && newest ? newest.atMs - before.atMs : 0
  if (nowMs - lastSeenMs > Math.max(SILENT_MS, 4 * everyMs)) return { cause: 'unseen' }
  const advancedMs = lastAdvanceMs(start)
  if (!before || !newest || before.atMs < advancedMs) return undefined

  const isInCommand = newest.waitEvent === 'RestoreCommand' || newest.isInCommand === true
  if (says(start, AT_TARGET) && !isInCommand) return undefined
  if (newest.pauseState === 'paused' || (newest.pauseState === 'pause requested' && !isInCommand))
    return says(start, INSUFFICIENT)
      ? { cause: 'insufficient-parameters', complaint: said(start, LOWER) }
      : { cause: 'paused-by-operator' }
  // Between two attempts at it, a look may meet a moment in which it is not named.
  const file = samples.findLast(({ atMs, activity }) => atMs >= advancedMs && activity === 'waiting')?.segment
  if (asksAgain(start, advancedMs)) return { cause: 'restore-command-retrying', file, detail: 'in standby mode' }
  if (!isInCommand)
    return { cause: 'unexplained', detail: `it waits for ${newest.waitEvent ?? 'nothing that it names'}` }
  const complaint = repeatedComplaint(start, advancedMs)
  return { cause: complaint === undefined ? 'restore-command-hanging' : 'restore-command-retrying', file, complaint }
}

/** PostgreSQL itself does, between two pauses. Before it takes queries it does not say so, and runs no command then. */
function asksAgain(start: RecoveryStart, sinceMs: number): boolean {
  if (!says(start, /LOG: {2}entering standby mode/)) return false
  const looks = start.samples.filter(({ atMs }) => atMs >= sinceMs)
  return (
    looks.some(
      ({ waitEvent, isInCommand, activity }) =>
        waitEvent === 'RecoveryRetrieveRetryInterval' || (activity === 'waiting' && isInCommand === false),
    ) || start.lines.some(({ atMs, text }) => atMs >= sinceMs && ASKS_AGAIN.test(text))
  )
}

/** What a command has printed more than once, its numbers aside: times and counts change. */
function repeatedComplaint({ lines }: RecoveryStart, sinceMs: number): string | undefined {
  const printed = lines.filter(({ atMs, text }) => atMs >= sinceMs && text.trim() !== '' && !SAID_BY_SERVER.test(text))
  const shapes = printed.map(({ text }) => text.replaceAll(/\d+/g, '#'))
  return printed.findLast((_, index) => shapes.indexOf(shapes[index] ?? '') < index)?.text
}

/** Two ends in a row at the same place, and none behind it since. */
function crashLoopIn(starts: readonly RecoveryStart[]): Stall | undefined {
  const [before, last] = starts.filter(({ isRunning }) => !isRunning).slice(-2)
  if (!before || !last || says(before, ORDERLY) || says(last, ORDERLY) || isFurther(last, before)) return undefined
  const now = starts.at(-1)
  if (now && now !== last && (isFurther(now, last) || says(now, AT_TARGET))) return undefined
  if (says(last, INSUFFICIENT)) return { cause: 'insufficient-parameters', complaint: said(last, LOWER) }
  const detail = `${starts.length} starts, and none came further than ${newestRestored(last) ?? 'the backup'}`
  return { cause: 'crash-loop', complaint: said(last, GIVEN_UP) ?? 'without a word', detail }
}

function isFurther(one: RecoveryStart, other: RecoveryStart): boolean {
  const [a, b] = [one, other].map(start => newestRestored(start)?.slice(8) ?? '')
  return (a ?? '') > (b ?? '')
}

function findingOf(
  stall: Stall,
  start: RecoveryStart,
  { at, nowMs, server, target }: RecoveryObservation,
): RecoveryStall {
  const { cause, file, complaint, detail } = stall
  const replayedTo = furthest(start)
  const facts = [
    `${WHY[cause]}${detail === undefined ? '' : `, ${detail}`}${complaint === undefined ? '' : `: ${complaint}`}`,
    ...(file === undefined ? [] : [`what is waited for is ${file}`]),
    `no further ${replayedTo ? `than ${replayedTo} ` : ''}for ${((nowMs - lastAdvanceMs(start)) / 1000).toFixed(1)} s`,
  ]
  return {
    name: 'recovery-stall',
    // Says nothing of the cause: that may change while nothing moves, and the condition stays the same.
    blocks: `the recovery of ${server} to ${describeTarget(target)}`,
    cause,
    file,
    complaint,
    replayedTo,
    sentence: `at ${at}, the recovery of ${server} to ${describeTarget(target)} has stalled: ${facts.join('; ')}`,
  }
}

const WHY: Record<StallCause, string> = {
  'restore-command-hanging': 'restore_command does not end, and says nothing of it',
  'restore-command-retrying': 'the same file is asked for again and again',
  'paused-by-operator': 'replay was paused by pg_wal_replay_pause(), and waits for pg_wal_replay_resume()',
  'insufficient-parameters': 'a setting is too low for what the primary had: raise it, and start the server again',
  'crash-loop': 'the server ends, is started again and ends',
  unseen: 'the server runs and has answered no look',
  unexplained: 'nothing says why',
}

function estimateOf(start: RecoveryStart, observation: RecoveryObservation): RecoveryEstimate | undefined {
  const { nowMs, target, archiveEnd, rto, server } = observation
  const goal = target.kind === 'lsn' ? target.lsn : archiveEnd
  const left = goal && timeLeft(start, goal, nowMs)
  if (!left) return undefined
  const place = target.kind === 'lsn' ? describeTarget(target) : `the archive's end, ${goal}, at the latest`
  const atSeconds = rto && (nowMs - rto.sinceMs) / 1000 + left.seconds
  const makesIt = rto && atSeconds !== undefined ? atSeconds <= rto.seconds : undefined
  const verdict =
    makesIt === undefined
      ? ''
      : `: ${atSeconds?.toFixed(1)} s after the incident, which ${makesIt ? 'makes' : 'does not make'} the RTO of ${rto?.seconds} s`
  return {
    ...left,
    makesIt,
    sentence: `${server} has replayed to ${left.replayedTo} and goes on at ${mebibytes(left.bytesPerSecond)}/s: ${mebibytes(left.bytesLeft)} and ${left.seconds.toFixed(1)} s are left to ${place}${verdict}`,
  }
}

function furthest({ lines, samples }: RecoveryStart): Lsn | undefined {
  return progressOf(lines, samples)
    .map(({ lsn }) => lsn)
    .reduce<Lsn | undefined>((far, lsn) => (far && lsn.isBefore(far) ? far : lsn), undefined)
}

function says({ lines }: RecoveryStart, pattern: RegExp): boolean {
  return lines.some(({ text }) => pattern.test(text))
}

/** The first group of the pattern that matches, of the first line that does. */
function said({ lines }: RecoveryStart, pattern: RegExp): string | undefined {
  for (const { text } of lines) {
    const match = pattern.exec(text)
    if (match) return match.slice(1).find(group => group !== undefined)
  }
  return undefined
}
