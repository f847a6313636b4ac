import type { BaseBackup } from '../backup/base-backup.ts'
import { LongStep } from '../evidence/progress.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { RecoverySample } from './recovery-sample.ts'

/** How far the replay of a recovery has come, from where its backup began. */
export class ReplayProgress extends LongStep {
  readonly #backup: Pick<BaseBackup, 'startLsn' | 'segmentSizeBytes'>
  readonly #to: Lsn | undefined
  #replayedTo: Lsn

  /**
   * @param tell as of `LongStep`.
   * @param to the target, where it is a place in WAL.
   */
  constructor(
    tell: (message: string) => void,
    backup: Pick<BaseBackup, 'startLsn' | 'segmentSizeBytes'>,
    to: Lsn | undefined,
    nowMs?: () => number,
  ) {
    super(tell, { what: 'replay', unit: 'WAL bytes', ...(to && { of: Number(to.minus(backup.startLsn)) }) }, nowMs)
    this.#backup = backup
    this.#to = to
    this.#replayedTo = backup.startLsn
  }

  /** Before the first consistent point there is but the segment that is fetched or replayed: all before it is replayed. */
  follow({ replayLsn, segment }: Pick<RecoverySample, 'replayLsn' | 'segment'>): void {
    const lsn =
      replayLsn ?? (segment === undefined ? undefined : WalSegment.parse(segment, this.#backup.segmentSizeBytes).start)
    if (lsn && this.#replayedTo.isBefore(lsn)) this.#replayedTo = lsn
    this.reach({
      done: Number(this.#replayedTo.minus(this.#backup.startLsn)),
      at: this.#to ? `${this.#replayedTo} of ${this.#to}` : `${this.#replayedTo}`,
    })
  }
}
