import type { Lsn } from '../postgres/lsn.ts'
import { WalDamage } from '../postgres/wal-damage.ts'
import { WalReader } from '../postgres/wal-reader.ts'
import { readCreatedTablespace, type WalTablespace } from '../postgres/wal-tablespace.ts'
import type { ArchiveContents } from './archive-contents.ts'
import { newestTimeline, recoveryPath } from './recovery-path.ts'
import { findStoredSegments } from './stored-segments.ts'
import type { WalArchive } from './wal-archive.ts'

/**
 * The tablespaces that a recovery from `backup` to the end of the archive would make, at the paths that they had on the original server.
 * Behind damage and behind a gap, where no recovery comes, some may be told and others not.
 * @throws {Failure} what `recoveryPath` throws.
 */
export async function findCreatedTablespaces(
  archive: WalArchive,
  { listing, histories }: Pick<ArchiveContents, 'listing' | 'histories'>,
  backup: { timeline: number; startLsn: Lsn; stopLsn: Lsn; systemIdentifier: string },
): Promise<WalTablespace[]> {
  const { systemIdentifier } = backup
  const timeline = newestTimeline(backup.timeline, histories)
  const legs = recoveryPath({ listing, histories, backup, timeline })
  const stored = [...(await findStoredSegments([archive])).values()]
    .filter(({ segment }) => backup.startLsn.isBefore(segment.end))
    .filter(({ segment }) =>
      legs.some(leg => leg.timeline === segment.timeline && leg.first <= segment.number && segment.number <= leg.last),
    )
    .sort((a, b) => Number(a.segment.number - b.segment.number))
  const found: WalTablespace[] = []
  const memory = Buffer.allocUnsafe(archive.segmentSizeBytes)
  let reader = new WalReader({ systemIdentifier })
  let next: bigint | undefined
  for (const one of stored) {
    const bytes = await one.read(memory)
    if (next !== undefined && one.segment.number !== next) reader = new WalReader({ systemIdentifier })
    next = one.segment.number + 1n
    try {
      if (!Buffer.isBuffer(bytes)) throw bytes
      reader.read({ segment: one.segment, bytes }, (record, data) => {
        const tablespace = readCreatedTablespace(record, data)
        if (tablespace && backup.startLsn.isAtOrBefore(tablespace.lsn)) found.push(tablespace)
      })
    } catch (damage) {
      if (!(damage instanceof WalDamage)) throw damage
      reader = new WalReader({ systemIdentifier })
    }
  }
  return found
}
