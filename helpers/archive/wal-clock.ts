import type { Lsn } from '../postgres/lsn.ts'
import type { ServerProgress } from './server-progress.ts'

/**
 * When a server passed a place in its WAL, by its own clock: what was acknowledged until `after` lies before that place, what
 * was sent from `before` on lies behind it. What no look has shown is left out.
 */
export interface Passage {
  after?: string
  before?: string
}

type Look = Pick<ServerProgress, 'timeline' | 'insertLsn' | 'readAt' | 'segmentSizeBytes'>

/**
 * Looks at a server that were taken for another purpose, kept to tell an LSN's time. Segments are left at their ends, so of the
 * looks within one segment only the first and the last say anything: what is kept grows with the WAL, not with the looks.
 */
export class WalClock {
  #looks: Look[] = []

  /** A server on another timeline, or before where it stood, is another one: what was known of that one is no longer said. */
  note(look: Look): void {
    const [last, first] = [this.#looks.at(-1), this.#looks.at(-2)]
    if (last && (look.timeline !== last.timeline || look.insertLsn.isBefore(last.insertLsn))) this.#looks = []
    else if (first && last && numberOf(first) === numberOf(last) && numberOf(last) === numberOf(look)) this.#looks.pop()
    this.#looks.push(look)
  }

  /**
   * @param end of a segment: within one, the looks that would tell are not kept.
   * @param timeline that leads there; of any but the server's nothing is known.
   */
  passageOf(end: Lsn, timeline: number): Passage {
    if (this.#looks.at(-1)?.timeline !== timeline) return {}
    const after = this.#looks.findLast(({ insertLsn }) => insertLsn.isAtOrBefore(end))?.readAt.from
    const before = this.#looks.find(({ insertLsn }) => end.isAtOrBefore(insertLsn))?.readAt.until
    return { ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) }
  }
}

function numberOf({ insertLsn, segmentSizeBytes }: Look): bigint {
  return insertLsn.bytes / BigInt(segmentSizeBytes)
}
