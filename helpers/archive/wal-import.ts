import type { UserBackup } from '../backup/formats/user-backup.ts'
import { Failure } from '../failure.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { historyFile, TimelineHistory } from '../postgres/timeline-history.ts'
import { findHeadDamage } from '../postgres/wal-check.ts'
import { SEGMENT_HEADER_BYTES } from '../postgres/wal-page.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { classifyArchiveFile } from './archive-file.ts'
import type { WalArchive } from './wal-archive.ts'
import type { WalSource } from './wal-source.ts'

export interface WalImport {
  segments: number
  /** Of them, those that the source has, and those that only the backup brings along. */
  fromSource: number
  fromBackup: number
  histories: number
  bytes: number
  seconds: number
  /** Asked of a command and not there, before others that are. */
  holes: string[]
  /** From the first that a command did not have to the last that it was asked for: taken as the end of the WAL, and none of a listing. */
  notThere: { first: string; last: string } | undefined
}

export interface ImportPlan {
  backup: Pick<UserBackup, 'timeline' | 'startLsn' | 'segmentSizeBytes' | 'systemIdentifier' | 'ownWal'>
  /**
   * WAL is copied up to the segment that holds this byte, and one more: recovery stops only at a record past its target.
   * Default: all there is.
   */
  upTo?: Lsn
  /** That production is known to have come to: a command is asked as far as this before its WAL is taken to end. */
  known?: Lsn | undefined
  timeline: 'latest' | 'current' | number
  /** Once a second while a file is waited for. */
  onWait?: (name: string, seconds: number) => void
}

/** How many segments in a row a command may not have before those further on are asked for one by one no more. */
const ASKED_IN_A_ROW = 4
/** So far ahead a command is asked at the least, in steps that grow, before that is the end of the WAL, and no hole in it. */
const FURTHEST_AHEAD = 256n
const STEP_FACTOR = 2n

/**
 * Copies what a recovery from the backup would ask for into an archive of ours, unpacked, one file in memory at a time. The WAL
 * that the backup brings along comes first, and gives way to what the source has of the same name: its last segment is not full.
 * What a source that can be listed has a hole in is copied on both sides of it; a command is asked for the next few segments, and
 * then ever further ahead.
 * @param source undefined: the backup's own WAL alone. One that is named must have some of the backup's cluster, from its start on:
 *   else it is not the one that a recovery would be left with.
 * @throws {Failure} `archive-empty` and `archive-of-another-cluster`.
 * @throws what the source throws, and `RangeError` for a history that is not one.
 */
export async function importWal(
  source: WalSource | undefined,
  archive: WalArchive,
  plan: ImportPlan,
): Promise<WalImport> {
  const began = performance.now()
  const importing = new Importing(archive, plan)
  for await (const { name, content } of plan.backup.ownWal()) await importing.store(name, content)
  if (source?.names) await importing.copyListed(source, await source.names())
  else if (source) await importing.askFor(source)
  if (source) importing.expectSome(source)
  return importing.report((performance.now() - began) / 1000)
}

/** Of a timeline, the segments that recovery reads. */
interface Leg {
  timeline: number
  from: bigint
  to: bigint | undefined
}

class Importing {
  /** By name: what is fetched replaces what the backup has brought along. */
  readonly #stored = new Map<string, number>()
  readonly #fromSource = new Set<string>()
  /** Of the source's segments, those whose first page says that they are of this cluster, and of another one. */
  #ours = 0
  #foreign = 0
  readonly #holes: string[] = []
  #notThere: WalImport['notThere']
  readonly #first: WalSegment
  readonly #last: bigint | undefined

  constructor(
    private readonly archive: WalArchive,
    private readonly plan: ImportPlan,
  ) {
    const { timeline, startLsn, segmentSizeBytes } = plan.backup
    this.#first = WalSegment.containing(startLsn, timeline, segmentSizeBytes)
    this.#last = plan.upTo && WalSegment.containing(plan.upTo, timeline, segmentSizeBytes).number + 1n
  }

  async store(name: string, content: Buffer): Promise<void> {
    if (!this.#isWanted(name)) return
    await this.archive.store(name, content)
    this.#stored.set(name, content.length)
  }

  async copyListed(source: WalSource, names: readonly string[]): Promise<void> {
    for (const name of names) if (this.#isWanted(name)) await this.#fetch(source, name)
  }

  /** Timelines as PostgreSQL finds them out, then their segments in the order in which recovery reads them. */
  async askFor(source: WalSource): Promise<void> {
    const legs = await this.#findLegs(source)
    let missing: string[] = []
    /** One further ahead that is there. */
    let ahead = this.#first.number
    for (let number = this.#first.number; !this.#isPast(number); number++) {
      const names = this.#namesOf(legs, number)
      if (await this.#fetchAny(source, names)) {
        this.#holes.push(...missing)
        missing = []
        continue
      }
      missing.push(...names.slice(-1))
      if (missing.length < ASKED_IN_A_ROW || number < ahead) continue
      const [first = ''] = missing
      const look = await this.#lookAhead(source, legs, number)
      if (look.found === undefined) {
        this.#notThere = { first, last: look.last ?? missing.at(-1) ?? first }
        return
      }
      ahead = look.found
    }
    const [first] = missing
    if (first !== undefined) this.#notThere = { first, last: missing.at(-1) ?? first }
  }

  /** @returns the next segment behind `from` that is there, of those that are asked for; else the last that was. */
  async #lookAhead(
    source: WalSource,
    legs: readonly Leg[],
    from: bigint,
  ): Promise<{ found: bigint } | { found: undefined; last: string | undefined }> {
    const { known } = this.plan
    const atKnown = known && WalSegment.containing(known, 1, this.#first.sizeBytes).number
    const furthest = [from + FURTHEST_AHEAD, atKnown ?? 0n].reduce((a, b) => (a > b ? a : b))
    const asked = new Set(atKnown !== undefined && atKnown > from ? [atKnown] : [])
    for (let step = STEP_FACTOR; from + step <= furthest; step *= STEP_FACTOR) asked.add(from + step)
    let last: string | undefined
    for (const number of [...asked].sort((a, b) => Number(a - b))) {
      if (this.#isPast(number)) break
      const names = this.#namesOf(legs, number)
      if (await this.#fetchAny(source, names)) return { found: number }
      last = names.at(-1)
    }
    return { found: undefined, last }
  }

  #namesOf(legs: readonly Leg[], number: bigint): string[] {
    return legs
      .filter(({ from, to }) => number >= from && (to === undefined || number <= to))
      .map(({ timeline }) => new WalSegment(timeline, number, this.#first.sizeBytes).name)
  }

  async #fetchAny(source: WalSource, names: readonly string[]): Promise<boolean> {
    let isThere = false
    for (const name of names) {
      const isKnown = this.#fromSource.has(name) || (await this.#fetch(source, name))
      isThere = isKnown || this.#stored.has(name) || isThere
    }
    return isThere
  }

  expectSome({ where }: WalSource): void {
    const { systemIdentifier } = this.plan.backup
    if (this.#foreign > 0 && this.#ours === 0)
      throw new Failure(
        'archive-of-another-cluster',
        `the WAL of ${where} is of another cluster than the backup, which is of ${systemIdentifier}: name the archive of the server that was backed up`,
        { where, systemIdentifier, segments: this.#foreign },
      )
    if (![...this.#fromSource].some(name => this.#kindOf(name) === 'segment'))
      throw new Failure(
        'archive-empty',
        `${where} has no WAL from the start of the backup on, no segment ${this.#first} or later: name the archive of the server that was backed up, or none, where the backup brings its WAL along`,
        { where, from: this.#first.name },
      )
  }

  report(seconds: number): WalImport {
    const names = [...this.#stored.keys()]
    const segments = names.filter(name => this.#kindOf(name) === 'segment')
    const fromSource = segments.filter(name => this.#fromSource.has(name)).length
    return {
      segments: segments.length,
      fromSource,
      fromBackup: segments.length - fromSource,
      histories: names.filter(name => this.#kindOf(name) === 'history').length,
      bytes: [...this.#stored.values()].reduce((total, bytes) => total + bytes, 0),
      seconds,
      holes: this.#holes,
      notThere: this.#notThere,
    }
  }

  async #fetch(source: WalSource, name: string): Promise<boolean> {
    let seconds = 0
    const told = setInterval(() => this.plan.onWait?.(name, ++seconds), 1_000)
    const content = await source.fetch(name).finally(() => clearInterval(told))
    if (!content) return false
    await this.store(name, content)
    this.#fromSource.add(name)
    this.#identify(name, content)
    return true
  }

  #identify(name: string, content: Buffer): void {
    const file = classifyArchiveFile(name, this.#first.sizeBytes)
    if (file.kind !== 'segment' || content.length < SEGMENT_HEADER_BYTES) return
    const { segment } = file
    const damage = findHeadDamage(
      { segment, sizeBytes: segment.sizeBytes, head: content },
      this.plan.backup.systemIdentifier,
    )
    if (!damage) this.#ours++
    else if (damage.kind === 'other-cluster') this.#foreign++
  }

  /**
   * Which segments each timeline on the way has: a switch lies within a segment, which both have.
   * @see `findNewestTimeLine` in `src/backend/access/transam/timeline.c`
   */
  async #findLegs(source: WalSource): Promise<Leg[]> {
    const { timeline: current } = this.plan.backup
    let target = current
    await this.#fetch(source, historyFile(current))
    if (typeof this.plan.timeline === 'number') {
      target = this.plan.timeline
      await this.#fetch(source, historyFile(target))
    } else if (this.plan.timeline === 'latest') {
      while (await this.#fetch(source, historyFile(target + 1))) target++
    }
    const history = this.#stored.has(historyFile(target))
      ? TimelineHistory.parse((await this.archive.read(historyFile(target))).toString('utf8'), target)
      : TimelineHistory.withoutParent(target)
    const numberAt = (lsn: Lsn) => WalSegment.containing(lsn, current, this.#first.sizeBytes).number
    const legs = [...history.switches, { timeline: target, switchpoint: undefined }].map(
      ({ timeline, switchpoint }, index) => ({
        timeline,
        from: numberAt(history.switches[index - 1]?.switchpoint ?? this.plan.backup.startLsn),
        to: switchpoint && numberAt(switchpoint),
      }),
    )
    return legs.filter(({ to }) => to === undefined || to >= this.#first.number)
  }

  #isPast(number: bigint): boolean {
    return this.#last !== undefined && number > this.#last
  }

  /** Histories are small: all of them. */
  #isWanted(name: string): boolean {
    const file = classifyArchiveFile(name, this.#first.sizeBytes)
    if (file.kind === 'history') return true
    if (file.kind === 'foreign') return false
    return file.segment.number >= this.#first.number && !this.#isPast(file.segment.number)
  }

  #kindOf(name: string): string {
    return classifyArchiveFile(name, this.#first.sizeBytes).kind
  }
}
