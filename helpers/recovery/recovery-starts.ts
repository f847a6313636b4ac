import { Lsn } from '../postgres/lsn.ts'
import type { LogLine } from '../postgres/server-log.ts'
import { courseOf, progressOf, type RecoveryCourse, type ReplayProgress } from './recovery-course.ts'
import type { RecoverySample } from './recovery-sample.ts'

/** One start of a server in which it replayed WAL. */
export interface RecoveryStart {
  /** How far replay had come: it never goes back. */
  progress: ReplayProgress[]
  events: RecoveryCourse['events']
  /** Why the server gave up, in its own words, where it did. */
  refusal?: { atMs: number; sentence: string }
}

/** @see PostgreSQL source, `PostmasterMain` in `postmaster.c` */
const STARTED = / LOG: {2}starting PostgreSQL /

/** Of the process that recovers: others are fatal too, such as a session that comes too early. */
const REFUSED = /\] startup (?:FATAL|PANIC): {2}(.*)/

/**
 * The starts of a server in which it replayed anything, as its log has them and, where the recovery was watched, the samples: what is
 * known of a recovery that nobody watched, too.
 */
export function recoveryStartsOf(lines: readonly LogLine[], samples: readonly RecoverySample[]): RecoveryStart[] {
  const begins = lines.flatMap(({ text }, index) => (STARTED.test(text) ? [index] : []))
  return begins.flatMap((begin, index) => {
    const [first] = lines.slice(begin, begin + 1)
    const until = lines[begins[index + 1] ?? lines.length]?.atMs ?? Number.POSITIVE_INFINITY
    const own = lines.slice(begin, begins[index + 1])
    const startedAtMs = first?.atMs ?? 0
    const seen = samples.filter(({ atMs }) => atMs >= startedAtMs && atMs < until)
    const progress = furthest(progressOf(own, seen))
    if (progress.length === 0) return []
    const { events } = courseOf({ startedAtMs, lines: own, samples: seen })
    const refusal = own.flatMap(({ text, atMs }) => {
      const sentence = REFUSED.exec(text)?.[1]
      return sentence === undefined ? [] : [{ atMs, sentence }]
    })[0]
    return [{ progress, events, ...(refusal ? { refusal } : {}) }]
  })
}

/** The log names where a record begins, and a look sees where one ends: the same place, and the second lies further. */
function furthest(progress: readonly ReplayProgress[]): ReplayProgress[] {
  let far = Lsn.parse('0/0')
  return progress.map(({ atMs, lsn }) => {
    far = far.isBefore(lsn) ? lsn : far
    return { atMs, lsn: far }
  })
}
