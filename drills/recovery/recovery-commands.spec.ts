// archive_cleanup_command and recovery_end_command: when they run, what they are told, and what their failure means.
//
// Goal:   a restored server runs the commands it was given, each when it should and never those that its backup brought along,
//         which would prune the archive that others need; a command that fails is a warning, not a failed recovery.
// Method: back up a server that has such commands; recover it without any, with commands that note each run in the restored
//         server's own data directory, with commands that fail, and with one that does not exist.
import { test } from '../../fixtures/drill.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectEndedBy, expectRuns, expectWarning } from '../../fixtures/expectations/recovery-commands.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import type { Settings } from '../../helpers/postgres/conf.ts'
import { notingCommand } from '../../helpers/recovery/recovery-commands.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

const NOTING: Settings = {
  archive_cleanup_command: notingCommand('cleanup'),
  recovery_end_command: notingCommand('end'),
}

// What a backup of a standby, or of a server that was recovered, brings along.
test.override('primarySettings', NOTING)

test('recovery commands run when they should, and their failure is a warning', {
  meta: { id: 'P14', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({
  primary,
  archive,
  takeBackup,
  traffic,
  ledger,
  losePrimary,
  recover,
  launch,
  runtime,
  journal,
  step,
  each,
}) => {
  const backup = await step('Take a base backup of a server that has such commands', async () => {
    await traffic.append(30)
    return await takeBackup()
  })
  const { target, oldest } = await step('Serve traffic on both sides of a checkpoint and of the target', async () => {
    await traffic.append(20)
    const before = await primary.switchWal()
    await traffic.append(20)
    await primary.query('CHECKPOINT')
    await traffic.append(20)
    const lsn = await primary.lsn('insert')
    await traffic.deleteEverything()
    await traffic.append(5)
    return { target: { kind: 'lsn', lsn, inclusive: false } as const, oldest: before.next }
  })
  const sealed = await step('Lose the primary', losePrimary)

  const paused = async (settings: Settings) => {
    const { restored } = await recover(backup, { target, settings })
    return restored
  }
  /** That is what a checkpoint is on a server in recovery. */
  const makeRestartpoint = (restored: PostgresNode) => restored.query('CHECKPOINT')
  const expectRecovered = async (restored: PostgresNode) => {
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
    await expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal)
    await restored.destroy()
  }

  const cases: Record<string, () => Promise<void>> = {
    'without commands: those of the backup do not run': async () => {
      const restored = await paused({})
      await makeRestartpoint(restored)
      await restored.promote()
      await expectRuns(restored, 'cleanup', { times: 0, when: 'after a restartpoint and promotion' }, journal)
      await expectRuns(restored, 'end', { times: 0, when: 'after a restartpoint and promotion' }, journal)
      await expectRecovered(restored)
    },
    'with both: one runs at the restartpoint, one at the end': async () => {
      const restored = await paused(NOTING)
      await expectRuns(restored, 'cleanup', { times: 0, when: 'before a restartpoint' }, journal)
      await makeRestartpoint(restored)
      await expectRuns(restored, 'cleanup', { times: 1, when: 'after a restartpoint', oldest }, journal)
      await expectRuns(restored, 'end', { times: 0, when: 'while paused' }, journal)
      await restored.promote()
      // It runs on the new timeline, and names the oldest segment on that.
      const promoted = oldest.onTimeline(backup.timeline + 1)
      await expectRuns(restored, 'end', { times: 1, when: 'after promotion', oldest: promoted }, journal)
      await expectRuns(restored, 'cleanup', { times: 1, when: 'after promotion' }, journal)
      await expectRecovered(restored)
    },
    'with both failing: two warnings, and a recovered server': async () => {
      const restored = await paused({ archive_cleanup_command: 'exit 3', recovery_end_command: 'exit 4' })
      await makeRestartpoint(restored)
      await expectWarning(restored, 'archive_cleanup_command', journal)
      await restored.promote()
      await expectWarning(restored, 'recovery_end_command', journal)
      await expectRecovered(restored)
    },
    // The one failure that is no warning: but the timeline is taken by then, and the next start is a crash recovery.
    'with an end command that does not exist: it ends, and is recovered at the next start': async () => {
      const settings = { recovery_end_command: 'no-such-command' }
      const restored = await launch(backup, { target, settings })
      await expectEndedBy(restored, 'recovery_end_command', journal)
      await restored.start()
      await expectRecovered(restored)
    },
  }
  await each(
    Object.entries(cases),
    ([title]) => `Recover ${title}`,
    ([, run]) => run(),
  )
})
