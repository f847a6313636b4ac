import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { secondsText } from '../layout.ts'
import { median } from '../median.ts'
import { type HistoryEntry, serverMajorOf } from './history.ts'

/** One drill's RTO in earlier runs that can be compared with this one: same kind of run, runtime and major, and passed. */
export interface Trend {
  drill: string
  /** Oldest first, this run last. */
  rto: readonly { runId: string; startedAt: string; seconds: number }[]
  /** Of the ten before this one, or of as many as there are; none before the third. */
  medianSeconds?: number
  /** A sentence, where this run took twice the median or longer. */
  warning?: string
}

const LATEST = 10
const FEWEST = 3
const FAR_TOO_LONG = 2

/**
 * The trend of each drill of this run that has an RTO, in the order of the drills: the last ten that can be compared, and
 * this run.
 * @param earlier the history, oldest first. What stands in it from this run on is left out: a report may be built again later.
 */
export function trendsOf({ run, runtime, drills }: Evidence, earlier: readonly HistoryEntry[]): Trend[] {
  const own = earlier.findIndex(({ runId }) => runId === run.id)
  const comparable = (own === -1 ? earlier : earlier.slice(0, own)).filter(
    one => one.kind === run.kind && one.runtime === runtime.name && one.serverMajor === serverMajorOf(runtime),
  )
  return drills.flatMap(({ id, rto }) =>
    rto === undefined
      ? []
      : [trendOf(id, comparable, { runId: run.id, startedAt: run.startedAt, seconds: rto.seconds })],
  )
}

function trendOf(drill: string, comparable: readonly HistoryEntry[], latest: Trend['rto'][number]): Trend {
  const before = comparable
    .flatMap(({ runId, startedAt, drills }) => {
      const { verdict, rtoSeconds } = drills.find(({ id }) => id === drill) ?? {}
      return verdict === 'passed' && rtoSeconds !== undefined ? [{ runId, startedAt, seconds: rtoSeconds }] : []
    })
    .slice(-LATEST)
  const rto = [...before, latest]
  if (before.length < FEWEST) return { drill, rto }
  const medianSeconds = median(before.map(({ seconds }) => seconds))
  const times = latest.seconds / medianSeconds
  // Of no time at all nothing is a multiple.
  if (times < FAR_TOO_LONG || medianSeconds === 0) return { drill, rto, medianSeconds }
  const warning = `${drill} recovered in ${secondsText(latest.seconds)}, ${times.toFixed(1)} times the median of the last ${before.length} runs, ${secondsText(medianSeconds)}`
  return { drill, rto, medianSeconds, warning }
}
