// The checksums of a base backup: what they say before a server is started from it.
//
// Goal:   whatever has become of a stored backup is found, and named, while there is still time to take another one; and a
//         backup whose WAL is not in the archive is not taken for one.
// Method: take one backup; check it, its WAL range and every file; then damage a copy of it in each way there is, and see
//         the damage named; restore one of those; take a segment of its WAL range out of the archive, and see that named.
import { test } from '../../fixtures/drill.ts'
import { expectFilesListed, expectFound, expectRequiredWal } from '../../fixtures/expectations/backups.ts'
import { copyBackup, damagesOf, flippedBit, largestFile } from '../../helpers/backup/damages.ts'
import { verifyStoredBackup } from '../../helpers/backup/manifest.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'

test('a backup that is damaged, or whose WAL is missing, is found before a server is started from it', {
  meta: { id: 'P15', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, archive, backups, takeBackup, traffic, restore, journal, step, each }) => {
  const target = { kind: 'immediate' } as const
  const backup = await step('Take a base backup while traffic flows', async () => {
    traffic.start()
    await traffic.untilCommits(20)
    const backup = await takeBackup()
    await traffic.stop()
    await archive.waitFor(await primary.switchWal(), primary)
    return backup
  })
  await step('The WAL that it needs is stated, and in the archive', () => expectRequiredWal(backup, archive, journal))
  await step('Restored as it is, every file is one of the manifest', async () => {
    const restored = await restore(backup, { target, action: 'pause' })
    await expectFilesListed(backup, restored, journal)
    await restored.destroy()
  })
  const damages = damagesOf(backup).map((damage, index) => ({ ...damage, index }))
  await each(
    damages,
    ({ what }) => `Check a stored copy: ${what}`,
    async ({ what, named, inflict, index }) => {
      const copy = await copyBackup(backup, backups, primary, `copy-${index}`)
      await inflict(backups, `${copy.folder}/base`)
      const damage = { damage: what, kind: 'backup-damaged', named }
      await expectFound(damage, () => verifyStoredBackup(copy, backups), journal)
      await backups.remove(copy.folder)
    },
  )
  await step('Damaged unnoticed in its store, it is found when it is restored', async () => {
    const copy = await copyBackup(backup, backups, primary, 'copy')
    const { what, named, inflict } = flippedBit(largestFile(backup))
    await inflict(backups, `${copy.folder}/base`)
    const damage = { damage: `restored, ${what}`, kind: 'backup-damaged', named }
    await expectFound(damage, () => restore(copy, { target, action: 'pause' }), journal)
  })
  await step('Without the segment that it begins in, it is of no use', async () => {
    const first = WalSegment.containing(backup.startLsn, backup.timeline, backup.segmentSizeBytes)
    const putBack = await takeSegment(archive, first)
    const damage = { damage: 'a segment of its WAL range is missing', kind: 'backup-wal-missing', named: first.name }
    await expectFound(damage, () => expectRequiredWal(backup, archive, journal), journal)
    await putBack()
    await expectRequiredWal(backup, archive, journal)
  })
})
