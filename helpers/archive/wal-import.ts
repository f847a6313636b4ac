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
}

export interface ImportPlan {
  backup: Pick<UserBackup, 'timeline' | 'startLsn' | 'segmentSizeBytes' | 'systemIdentifier' | 'ownWal'>
  /**
   * WAL is copied up to the segment that holds this byte, and one more: recovery stops only at a record past its target.
   * Default: all there is.
   */
  upTo?: Lsn
  timeline: 'latest' | 'current' | number
}

/** How many segments in a row a command may not have before that is the end of the WAL, and no hole in it. */
const LONGEST_HOLE = 4

/**
 * Copies what a recovery from the backup would ask for into an archive of ours, unpacked, one file in memory at a time. The WAL
 * that the backup brings along comes first, and gives way to what the source has of the same name: its last segment is not full.
 * What a source that can be listed has a hole in is copied on both sides of it; a command is asked for the next few segments.
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

class Importing {
  /** By name: what is fetched replaces what the backup has brought along. */
  readonly #stored = new Map<string, number>()
  readonly #fromSource = new Set<string>()
  /** Of the source's segments, those whose first page says that they are of this cluster, and of another one. */
  #ours = 0
  #foreign = 0
  readonly #holes: string[] = []
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
    for (let number = this.#first.number; missing.length < LONGEST_HOLE && !this.#isPast(number); number++) {
      const names = legs
        .filter(({ from, to }) => number >= from && (to === undefined || number <= to))
        .map(({ timeline }) => new WalSegment(timeline, number, this.#first.sizeBytes).name)
      let isThere = false
      for (const name of names) isThere = (await this.#fetch(source, name)) || this.#stored.has(name) || isThere
      if (!isThere) missing.push(...names.slice(-1))
      else {
        this.#holes.push(...missing)
        missing = []
      }
    }
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
    }
  }

  async #fetch(source: WalSource, name: string): Promise<boolean> {
    const content = await source.fetch(name)
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
  async #findLegs(source: WalSource): Promise<{ timeline: number; from: bigint; to: bigint | undefined }[]> {
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
