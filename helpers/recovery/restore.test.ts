import { expect, test } from 'vitest'
import { ArchiveListing } from '../archive/listing.ts'
import type { BaseBackup } from '../backup/base-backup.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { type RestorePlan, restoreBaseBackup } from './restore.ts'

const plan: Omit<RestorePlan, 'reach'> = {
  backup: {
    id: 'b1',
    timeline: 1,
    startLsn: Lsn.parse('0/3000028'),
    stopLsn: Lsn.parse('0/3000130'),
    stoppedAt: '2026-11-23 10:00:00+00',
  } as BaseBackup,
  restoreCommand: 'cp',
  target: { kind: 'lsn', lsn: Lsn.parse('0/3000028'), inclusive: false },
  action: 'pause',
  targetTimeline: 'latest',
}

/** How far it gets: the first thing that is done to a server. */
const untouched = { initFrom: () => Promise.reject(new Error('restored')) } as unknown as PostgresNode

test('a target that cannot be reached is refused before anything is restored', async () => {
  const reach = { listing: ArchiveListing.of([], 2 ** 24), histories: new Map(), now: '2026-11-23T12:00:00Z' }
  await expect(restoreBaseBackup(untouched, { ...plan, reach })).rejects.toMatchObject({ kind: 'target-before-backup' })
})

test('unchecked, it is restored all the same', async () => {
  await expect(restoreBaseBackup(untouched, { ...plan, reach: 'unchecked' })).rejects.toThrow('restored')
})
