import type { Lsn } from '../postgres/lsn.ts'
import { progressOf, type RecoverySightings } from './recovery-course.ts'

/** How long a recovery has still to go, at the rate that it has come along so far. */
export interface TimeLeft {
  /** How far replay has come. */
  replayedTo: Lsn
  bytesLeft: number
  bytesPerSecond: number
  seconds: number
}

/**
 * The rate is that of all WAL replayed until now, fetching included: where a recovery slows down on the way, or stands still, the
 * estimate grows with every look. The end of recovery, a checkpoint, is not in it.
 * @param target in WAL; a time or a transaction has no distance.
 * @param nowMs of the clock of the sightings.
 * @returns nothing before a second place was seen: replay has no rate then.
 */
export function timeLeft({ lines, samples }: RecoverySightings, target: Lsn, nowMs: number): TimeLeft | undefined {
  const progress = progressOf(lines, samples).filter(({ atMs }) => atMs <= nowMs)
  const [first] = progress
  if (!first) return undefined
  const replayedTo = progress.reduce((far, { lsn }) => (far.isBefore(lsn) ? lsn : far), first.lsn)
  const bytesPerSecond = (Number(replayedTo.minus(first.lsn)) * 1000) / (nowMs - first.atMs)
  if (!(bytesPerSecond > 0 && Number.isFinite(bytesPerSecond))) return undefined
  const bytesLeft = Math.max(0, Number(target.minus(replayedTo)))
  return { replayedTo, bytesLeft, bytesPerSecond, seconds: bytesLeft / bytesPerSecond }
}
