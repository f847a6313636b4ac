import type { Observations } from '../evidence/evidence.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { LogLine } from '../postgres/server-log.ts'
import type { RecoverySample } from './recovery-sample.ts'

/** What a recovery goes through, in this order. */
export const RECOVERY_EVENTS = [
  'base restored',
  'first WAL fetched',
  'replaying',
  'consistent',
  'target reached',
  'promoted',
  'accepting writes',
] as const

interface RecoveryEvent {
  name: (typeof RECOVERY_EVENTS)[number]
  /** As `performance.now()`, in milliseconds. */
  atMs: number
}

/** How far replay had come, and when that was seen. */
export interface ReplayProgress {
  atMs: number
  lsn: Lsn
}

/** What a recovery's replay did between its first record and the last that is known of. */
interface Replay {
  fromLsn: Lsn
  toLsn: Lsn
  bytes: number
  /** Fetching included: the startup process does one after the other. */
  seconds: number
  bytesPerSecond: number
  /** The part of it in which the startup process waited for restore_command, as the samples say; none without samples. */
  fetchShare?: number
}

/** A recovery as it was seen, as far as it has come. */
export interface RecoveryCourse {
  /** Those that were seen, in order. */
  events: RecoveryEvent[]
  replay?: Replay
  samples: readonly RecoverySample[]
}

/** What is known of a recovery: when its server was started on the restored base, what it has logged since, and the samples. */
export interface RecoverySightings {
  startedAtMs: number
  lines: readonly LogLine[]
  samples: readonly RecoverySample[]
}

/** @see PostgreSQL source, `xlogrecovery.c`, `xlogarchive.c`, `xlog.c` and `postmaster.c`, for the messages */
const SAID: Record<Exclude<RecoveryEvent['name'], 'base restored'>, RegExp> = {
  'first WAL fetched': /LOG: {2}restored log file "[0-9A-F]{24}" from archive/,
  replaying: /LOG: {2}redo starts at /,
  consistent: /LOG: {2}consistent recovery state reached at /,
  'target reached': /LOG: {2}recovery stopping (?:before|after|at) /,
  promoted: /LOG: {2}archive recovery complete/,
  'accepting writes': /LOG: {2}database system is ready to accept connections/,
}

/** Turns what is known of a recovery into what happened when, and how fast it replayed. */
export function courseOf({ startedAtMs, lines, samples }: RecoverySightings): RecoveryCourse {
  const events: RecoveryEvent[] = [{ name: 'base restored', atMs: startedAtMs }]
  for (const name of RECOVERY_EVENTS) {
    if (name === 'base restored') continue
    const line = lines.find(({ text }) => SAID[name].test(text))
    if (line) events.push({ name, atMs: line.atMs })
  }
  const replay = replayOf(lines, samples)
  return { events, samples, ...(replay ? { replay } : {}) }
}

/** What the log says of where replay was. The stop record itself is replayed or not; it was come to. */
const PLACES =
  /LOG: {2}(?:redo starts at|consistent recovery state reached at|redo done at|redo in progress, .*current LSN:|recovery stopping (?:before|after) WAL location \(LSN\)) "?([0-9A-F]+\/[0-9A-F]+)/

/** How far replay had come at which time: from the log and the samples, in the order of time. */
export function progressOf(lines: readonly LogLine[], samples: readonly RecoverySample[]): ReplayProgress[] {
  const said = lines.flatMap(({ text, atMs }) => {
    const lsn = PLACES.exec(text)?.[1]
    return lsn === undefined ? [] : [{ atMs, lsn: Lsn.parse(lsn) }]
  })
  const sampled = samples.flatMap(({ atMs, replayLsn }) => (replayLsn ? [{ atMs, lsn: replayLsn }] : []))
  return [...said, ...sampled].sort((a, b) => a.atMs - b.atMs)
}

function replayOf(lines: readonly LogLine[], samples: readonly RecoverySample[]): Replay | undefined {
  const progress = progressOf(lines, samples)
  const start = lines.find(({ text }) => SAID.replaying.test(text))
  const from = start && progress.find(({ atMs }) => atMs >= start.atMs)
  if (!from) return undefined
  // The first that saw the furthest: after it there was nothing more to replay. A sampled LSN is a record's end, a logged
  // one its beginning.
  const stopped = lines.find(({ text }) => SAID['target reached'].test(text))
  const until = stopped?.atMs ?? Number.POSITIVE_INFINITY
  const furthest = progress
    .slice(progress.indexOf(from))
    .reduce((far, one) => (far.lsn.isBefore(one.lsn) ? one : far), from)
  const endMs = Math.min(furthest.atMs, Math.max(until, from.atMs))
  const bytes = Number(furthest.lsn.minus(from.lsn))
  const seconds = (endMs - from.atMs) / 1000
  const during = samples.filter(sample => sample.atMs >= from.atMs && sample.atMs <= endMs && isReplaying(sample))
  return {
    fromLsn: from.lsn,
    toLsn: furthest.lsn,
    bytes,
    seconds,
    bytesPerSecond: seconds > 0 ? bytes / seconds : 0,
    ...(during.length > 0 ? { fetchShare: during.filter(isFetching).length / during.length } : {}),
  }
}

function isReplaying({ pauseState }: RecoverySample): boolean {
  return pauseState !== 'paused'
}

function isFetching({ activity, waitEvent }: RecoverySample): boolean {
  return waitEvent === 'RestoreCommand' || activity === 'waiting'
}

/** How many samples the evidence has room for. */
const SHOWN = 60

/** For the evidence: times in seconds since the base was restored. */
export function describeCourse({ events, replay, samples }: RecoveryCourse): Observations {
  const since = events[0]?.atMs ?? 0
  const seconds = (atMs: number) => Math.round(atMs - since) / 1000
  const step = Math.ceil(samples.length / SHOWN)
  return {
    recovery: events.map(({ name, atMs }) => {
      const rate = name === 'replaying' && replay ? ` at ${(replay.bytesPerSecond / 2 ** 20).toFixed(0)} MiB/s` : ''
      return `${name}${rate} after ${seconds(atMs)} s`
    }),
    fetchShare: replay?.fetchShare ?? null,
    samples: samples
      .filter((_, index) => index % step === 0 || index === samples.length - 1)
      .map(({ atMs, replayLsn, ...told }) => ({
        seconds: seconds(atMs),
        ...(replayLsn ? { replayLsn: replayLsn.toString() } : {}),
        ...told,
      })),
  }
}
