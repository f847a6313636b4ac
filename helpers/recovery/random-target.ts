import type { Lsn } from '../postgres/lsn.ts'
import type { LedgerCommit } from '../workload/ledger.ts'
import { Random } from '../workload/random.ts'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import type { RecoveryTarget } from './recovery-target.ts'

/**
 * A moment as it is drawn: relative to a workload, before that workload is known. A workload whose writers run side by side
 * never runs twice alike, so a drawn moment can be drawn again, and not the LSN or the transaction that it came to mean.
 */
export interface DrawnMoment {
  /** From 1. */
  number: number
  kind: 'lsn' | 'time' | 'xid'
  inclusive: boolean
  /** Anywhere; or the very edge of a transaction: just before its end was asked for, or just once it was told. */
  place: 'anywhere' | 'before' | 'after'
  /** How far into the workload, from 0 to below 1: of the LSNs noted, its time, or its transactions. */
  fraction: number
  /** Whether the transaction that it goes by is one that was rolled back. */
  aborted: boolean
}

/** Insert LSN and `clock_timestamp()`, read together. */
export interface Now {
  lsn: Lsn
  time: string
}

/** Where moments lie: between two reads, and the ends of the transactions between them. */
export interface TargetRange {
  from: Now
  to: Now
  /** Insert LSNs read between the two: a record ends and the next begins there, as with any LSN that an operator notes. */
  lsns: readonly Lsn[]
  /** Each with an xid, all of it within the two. */
  committed: readonly LedgerCommit[]
  /** Likewise; to the ledger they are commits of nothing. */
  aborted: readonly LedgerCommit[]
}

type RandomTarget = Extract<RecoveryTarget, { kind: DrawnMoment['kind'] }>

const KINDS = (['lsn', 'time', 'xid'] as const).flatMap(kind => [true, false].map(inclusive => ({ kind, inclusive })))
const ABORTED_SHARE = 0.25

/**
 * Draws so many moments: of each six in a row, one of each kind, inclusive and not. The first ones are the same however
 * many are drawn.
 */
export function drawMoments(seed: number, count: number): DrawnMoment[] {
  return Array.from({ length: Math.ceil(count / KINDS.length) }, (_, block) => {
    const random = new Random(seed, 'moments', block)
    return random.shuffled(KINDS).map((kind, index) => ({
      number: block * KINDS.length + index + 1,
      ...kind,
      place: random.oneOf(['anywhere', 'before', 'after'] as const),
      fraction: random.fraction(),
      aborted: random.fraction() < ABORTED_SHARE,
    }))
  })
    .flat()
    .slice(0, count)
}

/**
 * What a drawn moment means in a workload that has run.
 * @throws {RangeError} when there is no transaction to go by.
 */
export function targetOf(drawn: DrawnMoment, { from, to, lsns, ...transactions }: TargetRange): RandomTarget {
  const { kind, place, inclusive, fraction } = drawn
  const those = drawn.aborted ? transactions.aborted : transactions.committed
  const transaction = those[Math.floor(fraction * those.length)]
  if (!transaction?.xid || !transaction.after || !transaction.at)
    throw new RangeError(
      `there is no ${drawn.aborted ? 'aborted' : 'committed'} transaction that a moment could go by, of ${those.length}`,
    )
  if (kind === 'xid') return { kind, xid: transaction.xid, inclusive }
  if (kind === 'lsn') {
    const within = lsns[Math.floor(fraction * lsns.length)] ?? from.lsn
    return { kind, lsn: { anywhere: within, before: transaction.before, after: transaction.after }[place], inclusive }
  }
  const start = serverTimeMicroseconds(from.time)
  const micros = Number(serverTimeMicroseconds(to.time) - start)
  const within = timeText(start + BigInt(Math.floor(micros * fraction)))
  return { kind, time: { anywhere: within, before: transaction.atBefore, after: transaction.at }[place], inclusive }
}

export function describeDrawn({ kind, place, inclusive, fraction, aborted }: DrawnMoment): string {
  const percent = `${(fraction * 100).toFixed(1)} %`
  const transaction = `${aborted ? 'an aborted' : 'a committed'} transaction, ${percent} into the workload`
  const where =
    kind === 'xid'
      ? transaction
      : place === 'anywhere'
        ? `${percent} into ${kind === 'lsn' ? 'the LSNs noted' : "the workload's time"}`
        : `just ${place} the end of ${transaction}`
  return `${kind} ${inclusive ? 'inclusive' : 'exclusive'}, ${where}`
}

function timeText(microseconds: bigint): string {
  const [seconds] = new Date(Number(microseconds / 1000n)).toISOString().split('.')
  return `${seconds?.replace('T', ' ')}.${String(microseconds % 1_000_000n).padStart(6, '0')}+00`
}
