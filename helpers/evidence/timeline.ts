import { Lsn } from '../postgres/lsn.ts'
import type { Timeline } from './evidence.ts'

/** More than a plot is wide. */
const POINTS_MAX = 300
/** Of all series together: what crosses to the reporter with each drill is kept small. */
const ALL_POINTS_MAX = 6_000
const SERIES_MAX = 60
const EVENTS_MAX = 200

/**
 * Fewer points of a curve, which looks the same: of a stretch without a change the two ends are kept; where there are still too many,
 * of each stretch of equal length its first, its last, its lowest and its highest. The first and the last of all are always kept.
 * @param points in the order of time.
 * @param max at least 4.
 */
export function thin<P>(points: readonly P[], heightOf: (point: P) => number, max = POINTS_MAX): P[] {
  const values = points.map(heightOf)
  const turns = points.filter(
    (_, index) =>
      index === 0 ||
      index === points.length - 1 ||
      values[index] !== values[index - 1] ||
      values[index] !== values[index + 1],
  )
  if (turns.length <= max) return turns
  const stretches = Math.floor(max / 4)
  return Array.from({ length: stretches }, (_, index) =>
    turns.slice(Math.floor((index * turns.length) / stretches), Math.floor(((index + 1) * turns.length) / stretches)),
  ).flatMap(stretch => extremes(stretch, heightOf))
}

/** The first, the last, the lowest and the highest, each once and in their order. */
function extremes<P>(stretch: readonly P[], heightOf: (point: P) => number): P[] {
  const by = (isFurther: (a: number, b: number) => boolean) =>
    stretch.reduce((far, one) => (isFurther(heightOf(one), heightOf(far)) ? one : far))
  const kept = new Set([stretch[0], stretch.at(-1), by((a, b) => a < b), by((a, b) => a > b)])
  return stretch.filter(one => kept.has(one))
}

/** The ends of a list that is longer than `max`: how it began, and how it ended. */
export function ends<T>(list: readonly T[], max: number): T[] {
  if (list.length <= max) return [...list]
  const head = Math.ceil(max / 2)
  return [...list.slice(0, head), ...list.slice(list.length - (max - head))]
}

/** A timeline of a size that can be sent and drawn, its times to the millisecond. What is left out lies in the middle. */
export function boundTimeline({ replays, signals, events }: Timeline): Timeline {
  const series = ends(replays, SERIES_MAX)
  const each = Math.max(4, Math.min(POINTS_MAX, Math.floor(ALL_POINTS_MAX / Math.max(1, series.length))))
  return {
    replays: series.map(replay => ({
      ...replay,
      points: thin(replay.points, ({ lsn }) => Number(Lsn.parse(lsn).bytes), each).map(rounded),
    })),
    signals: ends(signals, SERIES_MAX).map(signal => ({ ...signal, states: ends(signal.states, each).map(rounded) })),
    events: ends(
      events.toSorted((a, b) => a.seconds - b.seconds),
      EVENTS_MAX,
    ).map(rounded),
  }
}

function rounded<T extends { seconds: number }>(point: T): T {
  return { ...point, seconds: Math.round(point.seconds * 1000) / 1000 }
}
