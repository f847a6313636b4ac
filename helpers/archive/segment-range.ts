import type { WalSegment } from '../postgres/wal-segment.ts'

/** Neighbouring segments of one timeline, both ends included. */
export class SegmentRange {
  constructor(
    readonly first: WalSegment,
    readonly last: WalSegment,
  ) {}

  get timeline(): number {
    return this.first.timeline
  }

  get count(): number {
    return Number(this.last.number - this.first.number) + 1
  }

  includes(segment: WalSegment): boolean {
    return (
      segment.timeline === this.timeline && segment.number >= this.first.number && segment.number <= this.last.number
    )
  }

  /** `first..last (n)`; a single segment is its name alone. */
  toString(): string {
    return this.count === 1 ? this.first.name : `${this.first}..${this.last} (${this.count})`
  }

  toJSON(): string {
    return this.toString()
  }
}
