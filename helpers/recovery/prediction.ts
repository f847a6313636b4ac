import type { Prediction, Rto } from '../evidence/evidence.ts'
import { Failure } from '../failure.ts'
import type { RecoveryCourse } from './recovery-course.ts'

/** How large a recovery is: the base backup's files, and the WAL from where replay begins to where it ends. */
export interface RecoverySize {
  databaseBytes: number
  walBytes: number
}

/** Where the time of one recovery went. */
export interface MeasuredRecovery extends RecoverySize {
  /** Until the base backup lay on the new server, checked. */
  copySeconds: number
  /** From the first segment fetched until the target was reached: fetching and replaying take turns. */
  walSeconds: number
  /** Of that, the part in which replay waited for `restore_command`; none where nobody looked. */
  fetchShare?: number
  /** All the rest. */
  fixedSeconds: number
}

/** What people ask about. */
export const A_LARGE_DATABASE: RecoverySize = { databaseBytes: 100 * 2 ** 30, walBytes: 50 * 2 ** 30 }

export function timesLarger({ databaseBytes, walBytes }: RecoverySize, factor: number): RecoverySize {
  return { databaseBytes: databaseBytes * factor, walBytes: walBytes * factor }
}

/**
 * Takes a recovery's time apart: what is neither copying nor WAL is taken for fixed.
 * @param rto has a phase that ended with the event `base restored`.
 * @throws {Failure} `not-watched` when the course does not tell of WAL that was replayed up to a target.
 */
export function measureRecovery({ events, replay }: RecoveryCourse, databaseBytes: number, rto: Rto): MeasuredRecovery {
  const at = (name: string) => events.find(event => event.name === name)?.atMs
  const [from, to] = [at('first WAL fetched') ?? at('replaying'), at('target reached')]
  if (from === undefined || to === undefined || !replay || replay.bytes <= 0)
    throw new Failure(
      'not-watched',
      `nothing can be predicted from a recovery of which only this was seen: ${events.map(({ name }) => name).join(', ')}`,
    )
  const walSeconds = (to - from) / 1000
  const copySeconds = rto.phases.find(({ name }) => name === 'base restored')?.seconds ?? 0
  return {
    databaseBytes,
    walBytes: replay.bytes,
    copySeconds,
    walSeconds,
    ...(replay.fetchShare === undefined ? {} : { fetchShare: replay.fetchShare }),
    fixedSeconds: Math.max(0, rto.seconds - copySeconds - walSeconds),
  }
}

/**
 * Of several measurements of the same recovery the one that took neither the least nor the most: what else the machine was
 * doing slows one down, seldom most of them.
 * @throws {RangeError} for none.
 */
export function typicalOf(measurements: readonly MeasuredRecovery[]): MeasuredRecovery {
  const total = ({ copySeconds, walSeconds, fixedSeconds }: MeasuredRecovery) => copySeconds + walSeconds + fixedSeconds
  const typical = measurements.toSorted((a, b) => total(a) - total(b))[Math.floor((measurements.length - 1) / 2)]
  if (!typical) throw new RangeError('nothing was measured')
  return typical
}

/**
 * Estimates how long the recovery of another size would take: each part in proportion to its bytes, and the rest as it was.
 * Every assumption that it rests on is stated in it.
 */
export function predict(measured: MeasuredRecovery, size: RecoverySize): Prediction {
  const copySeconds = inProportion(measured.copySeconds, size.databaseBytes, measured.databaseBytes)
  const walSeconds = inProportion(measured.walSeconds, size.walBytes, measured.walBytes)
  const { fixedSeconds } = measured
  const fetchShare = toldApart(measured)
  const wal =
    fetchShare === undefined
      ? [{ name: 'fetch and replay WAL', seconds: walSeconds }]
      : [
          { name: 'fetch WAL', seconds: walSeconds * fetchShare },
          { name: 'replay WAL', seconds: walSeconds * (1 - fetchShare) },
        ]
  return {
    ...size,
    seconds: copySeconds + walSeconds + fixedSeconds,
    phases: [
      { name: 'copy and check the base backup', seconds: copySeconds },
      ...wal,
      { name: 'all else', seconds: fixedSeconds },
    ],
    assumptions: assumptionsOf(measured, size),
  }
}

/** Where a look never met replay, or never restore_command, one of them was too short to be measured, not nothing. */
function toldApart({ fetchShare }: MeasuredRecovery): number | undefined {
  return fetchShare === 0 || fetchShare === 1 ? undefined : fetchShare
}

function inProportion(seconds: number, bytes: number, measuredBytes: number): number {
  return measuredBytes > 0 ? (seconds * bytes) / measuredBytes : 0
}

function assumptionsOf(measured: MeasuredRecovery, size: RecoverySize): string[] {
  const { databaseBytes, walBytes, copySeconds, walSeconds, fixedSeconds } = measured
  const fetchShare = toldApart(measured)
  const factor = Math.max(size.databaseBytes / databaseBytes, size.walBytes / walBytes)
  const share =
    fetchShare === undefined ? '' : `, ${(100 * fetchShare).toFixed(0)} % of that waiting for restore_command`
  return [
    `Copying and checking the base backup takes time in proportion to its bytes: ${rate(databaseBytes, copySeconds)}.`,
    `Fetching and replaying WAL takes time in proportion to its bytes: ${rate(walBytes, walSeconds)}${share}.`,
    `All else, verifying included, takes as long whatever the size: ${fixedSeconds.toFixed(2)} s here, where nobody had to notice, decide or look.`,
    'Disk, network and restore_command are as fast as here, where most of what was read lay in memory.',
    'The WAL is of the same kind: changes scattered over more pages than shared_buffers holds are replayed more slowly.',
    ...(factor > FAR
      ? [`It is ${factor.toFixed(0)} times larger than what was measured: an order of magnitude, not a promise.`]
      : []),
  ]
}

/** Up to here the soak has shown predictions to hold, within a factor of two. */
const FAR = 10.5

function rate(bytes: number, seconds: number): string {
  const mebibytes = bytes / 2 ** 20
  const perSecond = seconds > 0 ? `, ${(mebibytes / seconds).toFixed(0)} MiB/s` : ''
  return `${mebibytes.toFixed(1)} MiB in ${seconds.toFixed(2)} s${perSecond}`
}

/** By how much a prediction may be off, either way. */
const OFF_BY_AT_MOST = 2

/**
 * What a recovery took is what was predicted of it.
 * @returns measured by predicted.
 * @throws {Failure} `prediction-off` when it is off by more than a factor of two.
 */
export function assertPredicted(prediction: Prediction, measuredSeconds: number): number {
  const factor = measuredSeconds / prediction.seconds
  if (!(factor <= OFF_BY_AT_MOST && factor >= 1 / OFF_BY_AT_MOST))
    throw new Failure(
      'prediction-off',
      `the recovery took ${measuredSeconds.toFixed(2)} s, ${factor.toFixed(2)} times the ${prediction.seconds.toFixed(2)} s that were predicted`,
      { measuredSeconds, prediction },
    )
  return factor
}
