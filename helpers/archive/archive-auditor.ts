import { type ArchiveAudit, type AuditInput, auditArchive, type SegmentDamage } from './audit.ts'
import { HeadCheck } from './head-check.ts'
import type { ReadableArchive } from './readable-archive.ts'
import { RecordCheck } from './record-check.ts'
import { findStoredSegments, type StoredSegment } from './stored-segments.ts'

interface AuditorOptions {
  /** Of the cluster whose archive it is, in decimal. */
  systemIdentifier: string
  /** Every record from the backup on is read. Default: of each segment no more than its first page. */
  deep?: boolean
}

/**
 * Audits archives by what their segments say of themselves, again and again: what has not changed is read once. Where a look at
 * the beginning of a segment costs all of it, by names and sizes.
 */
export class ArchiveAuditor {
  readonly #archives: readonly ReadableArchive[]
  readonly #heads: HeadCheck
  readonly #records: RecordCheck | undefined

  /** @param archives in the order in which recovery looks into them. */
  constructor(archives: readonly ReadableArchive[], { systemIdentifier, deep = false }: AuditorOptions) {
    this.#archives = archives
    this.#heads = new HeadCheck(systemIdentifier)
    this.#records = deep ? new RecordCheck(systemIdentifier) : undefined
  }

  /**
   * As `auditArchive`, over the archives as they are now: what has gone since they were listed is not damaged.
   * @throws {Failure} as `auditArchive`; {CannotRun} for an archive that is not there; what reading a file of it throws.
   */
  async audit(input: Omit<AuditInput, 'damages'>): Promise<ArchiveAudit> {
    const stored = await findStoredSegments(this.#archives)
    const isOpen = this.#archives.every(({ reach }) => reach === 'beginnings')
    const damages = isOpen ? await this.#heads.look(stored) : []
    const known = new Map<string, SegmentDamage>(damages.map(damage => [damage.segment.name, { damage }]))
    let audit = auditArchive({ ...input, damages: known })
    if (this.#records) {
      const { backup, server, target } = input
      const way = storedWay(audit, backup, stored)
      // A living server archives what is finished; what a dead one wrote last may have been stored by hand.
      const mayEnd = ({ lastLsn, endLsn }: NonNullable<SegmentDamage['whole']>) =>
        backup.stopLsn.isAtOrBefore(endLsn) && (target === 'latest' || target.lsn.isAtOrBefore(lastLsn))
      const plan = { from: backup.startLsn, ...(server ? {} : { mayEnd }) }
      for (const one of await this.#records.look(way, plan)) known.set(one.damage.segment.name, one)
      audit = auditArchive({ ...input, damages: known })
    }
    return audit
  }
}

/** What recovery finds of its way from the backup on, in ascending order. */
export function storedWay(
  { statuses }: Pick<ArchiveAudit, 'statuses'>,
  { startLsn }: Pick<AuditInput['backup'], 'startLsn'>,
  stored: ReadonlyMap<string, StoredSegment>,
): StoredSegment[] {
  const segments = statuses.flatMap(({ range, status }) =>
    status === 'found' ? [...range].filter(({ end }) => startLsn.isBefore(end)) : [],
  )
  return segments.flatMap(({ name }) => stored.get(name) ?? [])
}
