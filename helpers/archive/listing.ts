import { Lsn } from '../postgres/lsn.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { VolumeEntry, VolumeFile } from '../runtime/volume.ts'
import { classifyArchiveFile } from './archive-file.ts'
import { rangesOf, type SegmentRange } from './segment-range.ts'

export interface WrongSizedSegment {
  segment: WalSegment
  sizeBytes: number
}

/** A file unless it says otherwise. */
type ListedFile = VolumeFile & Partial<Pick<VolumeEntry, 'kind'>>

/** A listing in a few lines of plain data, for a report. */
export interface ListingSummary {
  segments: string[]
  wrongSized: string[]
  histories: number[]
  backups: string[]
  partials: string[]
  foreign: string[]
}

/**
 * What lay in a WAL archive at one moment, by names and sizes; nothing was opened. A compressed segment is taken for whole,
 * since its size says nothing, unless it is empty. Where the plain file is there too, that decides: its size is known. Where
 * several archives have it plain, the first decides, since recovery takes it from there whatever its size.
 */
export class ArchiveListing {
  private constructor(
    readonly segmentSizeBytes: number,
    /** Whole segments by timeline, both in ascending order. */
    readonly segments: ReadonlyMap<number, readonly WalSegment[]>,
    /** Segments of another size than a segment has: in ascending order. */
    readonly wrongSized: readonly WrongSizedSegment[],
    /** Timelines with a history file, in ascending order. */
    readonly histories: readonly number[],
    /** Where the base backups start that left a history in the archive. */
    readonly backups: readonly { segment: WalSegment; startLsn: Lsn }[],
    readonly partials: readonly WalSegment[],
    /** Paths of all other files. */
    readonly foreign: readonly string[],
    /** What is there besides files. */
    readonly others: readonly Pick<VolumeEntry, 'path' | 'kind'>[],
  ) {}

  /**
   * @param files with paths relative to the archive: what lies in a folder of it is foreign. Of several archives in the order in
   *   which recovery looks into them.
   */
  static of(files: Iterable<ListedFile>, segmentSizeBytes: number): ArchiveListing {
    const stored = new StoredSegments(segmentSizeBytes)
    const histories: number[] = []
    const backups: { segment: WalSegment; startLsn: Lsn }[] = []
    const partials: WalSegment[] = []
    const foreign: string[] = []
    const others: Pick<VolumeEntry, 'path' | 'kind'>[] = []
    for (const { path, sizeBytes, kind = 'file' } of files) {
      if (kind !== 'file') {
        others.push({ path, kind })
        continue
      }
      const file = classifyArchiveFile(path, segmentSizeBytes)
      if (file.kind === 'segment') {
        stored.add({ segment: file.segment, sizeBytes }, file.compression !== undefined)
      } else if (file.kind === 'history') histories.push(file.timeline)
      else if (file.kind === 'backup') backups.push({ segment: file.segment, startLsn: file.startLsn })
      else if (file.kind === 'partial') partials.push(file.segment)
      else foreign.push(path)
    }
    const { segments, wrongSized } = stored.decide()
    return new ArchiveListing(
      segmentSizeBytes,
      byTimeline(segments),
      wrongSized,
      histories.sort((a, b) => a - b),
      backups.sort((a, b) => Lsn.compare(a.startLsn, b.startLsn)),
      partials.sort(compareSegments),
      foreign.sort(),
      others,
    )
  }

  /** The last whole segment of a timeline. */
  newest(timeline: number): WalSegment | undefined {
    return this.segments.get(timeline)?.at(-1)
  }

  /** The whole segments of a timeline as contiguous ranges, in ascending order. */
  ranges(timeline: number): SegmentRange[] {
    return rangesOf(this.segments.get(timeline) ?? [])
  }

  summary(): ListingSummary {
    return {
      segments: [...this.segments.keys()].flatMap(timeline => this.ranges(timeline).map(String)),
      wrongSized: this.wrongSized.map(({ segment, sizeBytes }) => `${segment} (${sizeBytes} bytes)`),
      histories: [...this.histories],
      backups: this.backups.map(({ startLsn }) => String(startLsn)),
      partials: this.partials.map(String),
      foreign: [
        ...this.foreign,
        ...this.others.map(({ path, kind }) => (kind === 'folder' ? `${path}/` : path)),
      ].sort(),
    }
  }

  /** The segments on one line, for an error message. */
  toString(): string {
    return this.summary().segments.join(', ') || 'no segment'
  }
}

function compareSegments(a: WalSegment, b: WalSegment): number {
  if (a.timeline !== b.timeline) return a.timeline - b.timeline
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0
}

/** Which of a segment's files decides, where there are several. There may be a million of them: the whole ones are kept as they are. */
class StoredSegments {
  readonly #plain: WalSegment[] = []
  readonly #packed: WalSegment[] = []
  readonly #wrongPlain = new Map<string, WrongSizedSegment>()
  readonly #wrongPacked = new Map<string, WrongSizedSegment>()

  constructor(private readonly segmentSizeBytes: number) {}

  add(file: WrongSizedSegment, isPacked: boolean): void {
    const { segment, sizeBytes } = file
    if (isPacked && sizeBytes > 0) this.#packed.push(segment)
    else if (isPacked) this.#wrongPacked.set(segment.name, file)
    // Behind one of a wrong size nobody looks any more.
    else if (this.#wrongPlain.size > 0 && this.#wrongPlain.has(segment.name)) return
    else if (sizeBytes === this.segmentSizeBytes) this.#plain.push(segment)
    else this.#wrongPlain.set(segment.name, file)
  }

  /** Both in ascending order, each segment once. */
  decide(): { segments: WalSegment[]; wrongSized: WrongSizedSegment[] } {
    const plain = inOrder(this.#plain)
    const wrongPlain = [...this.#wrongPlain.values()].filter(({ segment }) => !isIn(plain, segment))
    const decided = new Set(wrongPlain.map(({ segment }) => segment.name))
    const packed = this.#packed.filter(({ name }) => !decided.has(name))
    const segments = packed.length > 0 ? inOrder([...plain, ...packed]) : plain
    const wrongPacked = [...this.#wrongPacked.values()].filter(
      ({ segment }) => !decided.has(segment.name) && !isIn(segments, segment),
    )
    const wrongSized = [...wrongPlain, ...wrongPacked].sort((a, b) => compareSegments(a.segment, b.segment))
    return { segments, wrongSized }
  }
}

function inOrder(segments: WalSegment[]): WalSegment[] {
  return segments.sort(compareSegments).filter((segment, index) => {
    const before = segments[index - 1]
    return before === undefined || compareSegments(before, segment) !== 0
  })
}

/** @param sorted in ascending order. */
function isIn(sorted: readonly WalSegment[], segment: WalSegment): boolean {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    const found = sorted[middle]
    if (found && compareSegments(found, segment) < 0) from = middle + 1
    else to = middle
  }
  const found = sorted[from]
  return found !== undefined && compareSegments(found, segment) === 0
}

function byTimeline(sorted: readonly WalSegment[]): Map<number, WalSegment[]> {
  const timelines = new Map<number, WalSegment[]>()
  for (const segment of sorted) {
    const known = timelines.get(segment.timeline)
    if (known) known.push(segment)
    else timelines.set(segment.timeline, [segment])
  }
  return timelines
}
