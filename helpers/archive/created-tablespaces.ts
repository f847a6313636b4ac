import type { Lsn } from '../postgres/lsn.ts'
import { WalDamage } from '../postgres/wal-damage.ts'
import { WalReader } from '../postgres/wal-reader.ts'
import { readCreatedTablespace, type WalTablespace } from '../postgres/wal-tablespace.ts'
import { ArchiveAuditor, storedWay } from './archive-auditor.ts'
import { readContents } from './archive-contents.ts'
import { findStoredSegments } from './stored-segments.ts'
import type { WalArchive } from './wal-archive.ts'

/**
 * The tablespaces that a recovery from `backup` to the end of the archive would make, at the paths that they had on the original server.
 * Behind damage and behind a gap, where no recovery comes, some may be told and others not.
 * @throws {Failure} when no recovery finds its way along the timelines.
 */
export async function findCreatedTablespaces(
  archive: WalArchive,
  backup: { timeline: number; startLsn: Lsn; stopLsn: Lsn; systemIdentifier: string },
): Promise<WalTablespace[]> {
  const { systemIdentifier, startLsn } = backup
  const contents = await readContents([archive])
  const audit = await new ArchiveAuditor([archive], { systemIdentifier }).audit({
    ...contents,
    backup,
    target: 'latest',
  })
  const found: WalTablespace[] = []
  const memory = Buffer.allocUnsafe(archive.segmentSizeBytes)
  let reader: WalReader | undefined
  let next: bigint | undefined
  for (const stored of storedWay(audit, backup, await findStoredSegments([archive]))) {
    const { segment } = stored
    const bytes = await stored.read(memory)
    if (segment.number !== next) reader = undefined
    next = segment.number + 1n
    if (!Buffer.isBuffer(bytes)) {
      next = undefined
      continue
    }
    try {
      reader ??= new WalReader({ systemIdentifier })
      reader.read({ segment, bytes }, (record, data) => {
        const tablespace = readCreatedTablespace(record, data)
        if (tablespace && startLsn.isAtOrBefore(tablespace.lsn)) found.push(tablespace)
      })
    } catch (damage) {
      if (!(damage instanceof WalDamage)) throw damage
      reader = undefined
    }
  }
  return found
}
