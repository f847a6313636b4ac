import type { ArchiveListing } from '../archive/listing.ts'
import type { ReadableArchive } from '../archive/readable-archive.ts'
import { type BackupHistory, parseBackupHistory } from '../backup/backup-history.ts'
import { Failure } from '../failure.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'

/** A base backup that left its history in the archive. Whether the backup itself is still there, the archive does not say. */
export interface ArchivedBackup {
  timeline: number
  startLsn: Lsn
  stopLsn: Lsn
  /** None where the history could not be read, so that only its name is known. */
  history: BackupHistory | undefined
}

/**
 * The base backups whose first segment is in the archive, by where they begin. Older ones left their history when their WAL was
 * removed. Each is read when it is asked for: there may be one for every day of years.
 */
export class ArchivedBackups {
  readonly #archive: ReadableArchive
  readonly #named: readonly { segment: WalSegment; startLsn: Lsn }[]
  readonly #read = new Map<number, ArchivedBackup | undefined>()
  readonly #unreadable: string[] = []

  constructor(archive: ReadableArchive, { backups, segments, wrongSized }: ArchiveListing) {
    this.#archive = archive
    const isStored = ({ timeline, number }: WalSegment) =>
      (segments.get(timeline)?.some(one => one.number === number) ?? false) ||
      wrongSized.some(one => one.segment.timeline === timeline && one.segment.number === number)
    const isPruned = (segment: WalSegment) => segment.number < (segments.get(segment.timeline)?.[0]?.number ?? 0n)
    this.#named = backups.filter(({ segment }) => isStored(segment) || !isPruned(segment))
  }

  get count(): number {
    return this.#named.length
  }

  /** Those that were asked for and are not what their names say, or cannot stand alone: a sentence each. */
  get unreadable(): readonly string[] {
    return this.#unreadable
  }

  /** The last one that can be used by itself. */
  async newest(): Promise<ArchivedBackup | undefined> {
    for (let index = this.#named.length - 1; index >= 0; index--) {
      const backup = await this.#at(index)
      if (backup) return backup
    }
    return undefined
  }

  /** Those that can be used by themselves, the oldest first. @param from asked before each: none that begins before it is read. */
  async *since(from: () => Lsn): AsyncGenerator<ArchivedBackup> {
    for (const [index, { startLsn }] of this.#named.entries()) {
      if (startLsn.isBefore(from())) continue
      const backup = await this.#at(index)
      if (backup) yield backup
    }
  }

  async #at(index: number): Promise<ArchivedBackup | undefined> {
    if (!this.#read.has(index)) this.#read.set(index, await this.#load(index))
    return this.#read.get(index)
  }

  async #load(index: number): Promise<ArchivedBackup | undefined> {
    const named = this.#named[index]
    if (!named) return undefined
    const { segment, startLsn } = named
    // Where it ends is not in its name: one byte behind its beginning is the least that it needs.
    const byName = { timeline: segment.timeline, startLsn, stopLsn: startLsn.plus(1n), history: undefined }
    if (this.#archive.reach === 'names') return byName
    const name = backupHistoryFile(segment, startLsn)
    const content = await this.#archive.find(name)
    if (!content) return undefined
    const history = this.#parse(name, content)
    if (!history) return undefined
    return { timeline: history.timeline, startLsn: history.startLsn, stopLsn: history.stopLsn, history }
  }

  #parse(name: string, content: Buffer): BackupHistory | undefined {
    try {
      const history = parseBackupHistory(content.toString('utf8'))
      if (!history.incrementalFrom) return history
      this.#unreadable.push(`${name} is of an incremental backup, which is of no use by itself`)
    } catch (error) {
      if (!(error instanceof Failure || error instanceof RangeError)) throw error
      this.#unreadable.push(`${name} cannot be read: ${error.message}`)
    }
    return undefined
  }
}

/** @see PostgreSQL source, `BackupHistoryFileName` in `src/include/access/xlog_internal.h` */
function backupHistoryFile(segment: WalSegment, startLsn: Lsn): string {
  const offset = Number(startLsn.minus(segment.start))
  return `${segment}.${offset.toString(16).toUpperCase().padStart(8, '0')}.backup`
}
