import { expect, test } from 'vitest'
import { auditArchive } from '../archive/audit.ts'
import { ArchiveListing } from '../archive/listing.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import type { ArchivedBackup } from './archived-backups.ts'
import { auditBackups } from './preflight-facts.ts'

const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)

const backupIn = (number: number): ArchivedBackup => ({
  timeline: 1,
  startLsn: segment(number).start.plus(40n),
  stopLsn: segment(number).start.plus(400n),
  history: undefined,
})

/** @param numbers of the segments that backups were taken in, and of those that are archived. */
async function audited({ taken, stored }: { taken: readonly number[]; stored: readonly number[] }) {
  const backups = taken.map(backupIn)
  const listing = ArchiveListing.of(
    stored.map(number => ({ path: segment(number).name, sizeBytes: SIZE })),
    SIZE,
  )
  const known = {
    newest: async () => backups.at(-1),
    async *since(from: () => Lsn) {
      for (const backup of backups) if (!backup.startLsn.isBefore(from())) yield backup
    },
  }
  const { usable, broken } = await auditBackups(known, async backup =>
    auditArchive({ listing, backup, target: 'latest' }),
  )
  return { usable: usable?.backup.startLsn.toString(), broken: broken?.backup.startLsn.toString() }
}

const startOf = (number: number) => String(backupIn(number).startLsn)

test('of several backups that end at the same gap, the oldest counts', async () => {
  expect(await audited({ taken: [2, 3, 4], stored: [2, 3, 4, 5, 7] })).toEqual({
    usable: undefined,
    broken: startOf(2),
  })
})

test('but none that ends at a gap before that', async () => {
  expect(await audited({ taken: [1, 4, 5], stored: [1, 2, 4, 5, 6, 8] })).toEqual({
    usable: undefined,
    broken: startOf(4),
  })
})

test('one behind all gaps is used, and the broken one named', async () => {
  expect(await audited({ taken: [1, 4, 5], stored: [1, 2, 4, 5, 6] })).toEqual({
    usable: startOf(4),
    broken: startOf(1),
  })
})
