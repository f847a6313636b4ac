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

  *[Symbol.iterator](): Generator<WalSegment> {
    for (let segment = this.first; segment.number <= this.last.number; segment = segment.next) yield segment
  }

  /** `first..last (n)`; a single segment is its name alone. */
  toString(): string {
    return this.count === 1 ? this.first.name : `${this.first}..${this.last} (${this.count})`
  }

  toJSON(): string {
    return this.toString()
  }
}

/** @param segments in ascending order of timeline and number, each once. */
export function rangesOf(segments: Iterable<WalSegment>): SegmentRange[] {
  const ranges: SegmentRange[] = []
  for (const segment of segments) {
    const before = ranges.at(-1)
    if (before?.timeline === segment.timeline && segment.number === before.last.number + 1n)
      ranges[ranges.length - 1] = new SegmentRange(before.first, segment)
    else ranges.push(new SegmentRange(segment, segment))
  }
  return ranges
}
