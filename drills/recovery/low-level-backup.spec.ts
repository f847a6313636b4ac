// Recovery from a base backup that the operator's own tools have copied, between pg_backup_start and pg_backup_stop.
//
// Goal:   a plain copy of a data directory in use is a backup, by the label that the server gives for it: recovery comes to
//         its target with every row, those too that were written while it was copied.
// Method: copy while traffic flows, with commits and a checkpoint before the control file is copied, so that a start without
//         the label would lack rows; store the label; lose the primary; recover to a target after the backup.
import { test } from '../../fixtures/drill.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectLabelOf, expectReplayedFrom } from '../../fixtures/expectations/backups.ts'
import { expectIsolated, expectPausedAt, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { LowLevelBackup } from '../../helpers/backup/low-level-backup.ts'

test('recovery from a low-level backup keeps every commit before the target and none after', {
  meta: { id: 'P12', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, archive, backups, traffic, ledger, losePrimary, restore, runtime, journal, step }) => {
  await step('Serve traffic', async () => {
    await traffic.append(50)
    traffic.start()
  })
  await using copying = await step('Tell the server that a backup begins', () => LowLevelBackup.start(primary, backups))
  await step('Copy the data directory while it is written to', () => copying.copyFiles())
  await step('Commits go on, and a checkpoint comes, before the control file is copied', async () => {
    await traffic.untilCommits(40)
    await primary.query('CHECKPOINT')
    await copying.copyControlFile()
  })
  const backup = await step('Tell the server that it has ended, and store its label', async () => {
    const backup = await copying.stop()
    journal.measure({ baseBackupBytes: backup.sizeBytes })
    journal.observe({
      startLsn: backup.startLsn.toString(),
      stopLsn: backup.stopLsn.toString(),
      timeline: backup.timeline,
      manifest: 'made of the copy right after it: shows that nothing has changed since, not that it was copied right',
    })
    return backup
  })
  const target = await step('Commit on both sides of the target', async () => {
    await traffic.untilCommits(40)
    const lsn = await primary.lsn('insert')
    await traffic.untilCommits(40)
    await traffic.stop()
    return { kind: 'lsn', lsn, inclusive: false } as const
  })
  const sealed = await step('Lose the primary', losePrimary)
  const restored = await step('Restore, and see that it has its label', async () => {
    const restored = await restore(backup, { target, action: 'pause' })
    await expectLabelOf(backup, restored, journal)
    return restored
  })
  await step('Recover to the target, from where the backup began', async () => {
    await restored.launchServer()
    await expectPausedAt(restored, target, journal)
    expectReplayedFrom(backup, restored, journal)
    await expectIsolated(restored, journal)
  })
  await step('Rows and checksums while paused, as promised', () =>
    expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal),
  )
  await step('Promote, on the next timeline, with the same rows', async () => {
    await restored.promote()
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
  })
  await step('The archive is as it was', () =>
    expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal),
  )
})
