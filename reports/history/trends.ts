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
