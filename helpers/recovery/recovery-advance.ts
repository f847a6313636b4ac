import { courseOf, progressOf, type RecoverySightings } from './recovery-course.ts'

const RESTORED = /LOG: {2}restored log file "([^"]+)" from archive/
/** Said every `log_startup_progress_interval`, before there is anything to replay. @see PostgreSQL source, `ereport_startup_progress` */
const AT_WORK = /LOG: {2}.*elapsed time: .* s, current path: /

/**
 * When a recovery last came further than it had been: replay to a later LSN, restore_command to a file that it had not brought or
 * been asked for before, or to the next of its events. A file that is brought again is no advance: in standby mode PostgreSQL
 * asks for a damaged one without end.
 * @returns as `performance.now()`, in milliseconds.
 */
export function lastAdvanceMs(sightings: RecoverySightings): number {
  const { startedAtMs, lines, samples } = sightings
  const named = [
    ...lines.flatMap(({ atMs, text }) => {
      // Of a segment, that it is asked for and that it has come are two.
      const isNews = RESTORED.test(text) || AT_WORK.test(text)
      return isNews ? [{ atMs, name: RESTORED.exec(text)?.[0] ?? text }] : []
    }),
    ...samples.flatMap(({ atMs, segment }) => (segment === undefined ? [] : [{ atMs, name: segment }])),
  ].sort((a, b) => a.atMs - b.atMs)
  const firstSeen = new Map<string, number>()
  for (const { atMs, name } of named) if (!firstSeen.has(name)) firstSeen.set(name, atMs)
  const progress = progressOf(lines, samples)
  let furthest = progress[0]
  for (const one of progress) if (furthest?.lsn.isBefore(one.lsn)) furthest = one
  const events = courseOf(sightings).events.map(({ atMs }) => atMs)
  return Math.max(startedAtMs, ...events, ...firstSeen.values(), furthest?.atMs ?? startedAtMs)
}

/** The newest segment that restore_command has brought: where a recovery was that ended, whatever the looks at it met. */
export function newestRestored({ lines }: Pick<RecoverySightings, 'lines'>): string | undefined {
  const names = lines.flatMap(({ text }) => /^[0-9A-F]{24}$/.exec(RESTORED.exec(text)?.[1] ?? '')?.[0] ?? [])
  // Whatever the timeline: it may be read from one and from another.
  return names.toSorted((a, b) => (a.slice(8) < b.slice(8) ? -1 : 1)).at(-1)
}
