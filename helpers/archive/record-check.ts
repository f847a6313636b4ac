import type { Lsn } from '../postgres/lsn.ts'
import { WalDamage } from '../postgres/wal-damage.ts'
import { type SegmentContent, WalReader } from '../postgres/wal-reader.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { SegmentDamage } from './audit.ts'
import type { SegmentBytes, StoredSegment } from './stored-segments.ts'

type Whole = NonNullable<SegmentDamage['whole']>

interface ReadSegment {
  segment: WalSegment
  version: string
  damages: readonly SegmentDamage[]
  /** As it stands behind the segment, to go on from there. None behind a damage: nobody knows how WAL goes on there. */
  reader: WalReader | undefined
}

/**
 * Reads every record that recovery would read. What was read once is not read again; when a file has become another, all from there
 * on is. One segment is in memory at a time, and the next one on its way.
 */
export class RecordCheck {
  readonly #systemIdentifier: string
  #read: ReadSegment[] = []

  /** @param systemIdentifier of the cluster that the segments should be of, in decimal. */
  constructor(systemIdentifier: string) {
    this.#systemIdentifier = systemIdentifier
  }

  /**
   * @param way what recovery takes, in ascending order. Behind a gap, and behind a damage, it is begun with the first record that begins
   *   there.
   * @param plan.from a record begins there, and what comes before it does not matter.
   * @param plan.mayEnd whether WAL may end in the last segment, behind such records. Without it the server had come to the end of
   *   that, and has never left anything behind it.
   */
  async look(
    way: readonly StoredSegment[],
    { from, mayEnd }: { from: Lsn; mayEnd?: (whole: Whole) => boolean },
  ): Promise<SegmentDamage[]> {
    const changed = way.findIndex(({ version }, index) => this.#read[index]?.version !== version)
    this.#read = this.#read.slice(0, changed < 0 ? way.length : changed)
    for await (const [{ segment, version }, bytes] of ahead(way.slice(this.#read.length))) {
      const isLast = this.#read.length === way.length - 1
      const read = Buffer.isBuffer(bytes)
        ? this.#readRecords({ segment, bytes }, from, isLast ? mayEnd : undefined)
        : { damages: bytes instanceof WalDamage ? [{ damage: bytes }] : [], reader: undefined }
      this.#read.push({ segment, version, ...read })
    }
    const damages = this.#read.flatMap(({ damages }) => damages)
    // Whether that is the end of WAL, the next plan may see otherwise.
    if (mayEnd) this.#read = this.#read.slice(0, way.length - 1)
    return damages
  }

  #readRecords(
    content: SegmentContent,
    from: Lsn,
    mayEnd?: (whole: Whole) => boolean,
  ): Pick<ReadSegment, 'damages' | 'reader'> {
    if (mayEnd) {
      const { reader, ...unfinished } = this.#readRecords({ ...content, isUnfinished: true }, from)
      const whole = reader && wholeOf(reader)
      if (whole && mayEnd(whole)) return { reader, ...unfinished }
    }
    const before = this.#read.at(-1)
    const follows = before?.segment.end.equals(content.segment.start) ?? false
    const origin = { systemIdentifier: this.#systemIdentifier, ...(before ? {} : { from }) }
    const reader = (follows && before?.reader?.fork()) || new WalReader(origin)
    const damage = damageIn(reader, content)
    if (!damage) return { damages: [], reader }
    if (damage.damage.segment === content.segment) return { damages: [damage], reader: undefined }
    // Of the record that began before, nobody knows which of its segments is damaged; of this one it may be all that is.
    const anew = new WalReader(origin)
    const another = damageIn(anew, content)
    return another ? { damages: [damage, another], reader: undefined } : { damages: [damage], reader: anew }
  }
}

function damageIn(reader: WalReader, content: SegmentContent): SegmentDamage | undefined {
  try {
    reader.read(content)
    return undefined
  } catch (damage) {
    if (!(damage instanceof WalDamage)) throw damage
    return { damage, whole: wholeOf(reader) }
  }
}

function wholeOf({ lastLsn, endLsn }: WalReader): Whole | undefined {
  return lastLsn && endLsn && { lastLsn, endLsn }
}

/** What is given is good until the next is asked for. New memory for each would cost as much time as reading does. */
async function* ahead(segments: readonly StoredSegment[]): AsyncGenerator<[StoredSegment, SegmentBytes]> {
  const memory = [0, 1].map(() => Buffer.allocUnsafe(segments[0]?.segment.sizeBytes ?? 0))
  const begin = (index: number) => {
    const reading = segments[index]?.read(memory[index % 2] as Buffer)
    // Told when it is its turn.
    reading?.catch(() => undefined)
    return reading
  }
  let next = begin(0)
  for (const [index, segment] of segments.entries()) {
    const bytes = await next
    next = begin(index + 1)
    if (bytes !== undefined) yield [segment, bytes]
  }
}
