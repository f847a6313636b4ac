// A restored server that would archive into the archive of a primary that lives.
//
// Goal:   the settings that a backup brings along are those of the server it was taken of, and no restored server acts by them: not
//         while it recovers, not once it is promoted, not when it is returned to service. The archive stays as it is, byte for byte.
// Method: restore such a backup beside its primary. Try it with settings that lead back to the archive, and with settings that
//         somebody appends by hand; promote one that was restored as it should be, and finish segments; try to return it to service
//         into that archive, and then into one of its own. Compare the archive's listing and hashes after each.
import { test } from '../../fixtures/drill.ts'
import { expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { finishSegments } from '../../fixtures/escalation/wal-growth.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import {
  expectArchivesNothing,
  expectIsolated,
  expectPausedAt,
  expectTimeline,
} from '../../fixtures/expectations/recovery.ts'
import { Failure } from '../../helpers/failure.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

// A switch of the primary's own would change the archive that nobody else is to change.
test.override('primarySettings', { archive_timeout: 0 })

test('no restored server archives into the archive of its primary', {
  meta: { id: 'N17', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  newArchive,
  backups,
  commands,
  takeBackup,
  traffic,
  restore,
  launch,
  recover,
  returnToService,
  runtime,
  journal,
  step,
}) => {
  const intoPrimarys = { archive_mode: true, archive_command: commands.archiveTo(archive) }
  const backup = await step('Take a base backup, which brings along where its server archives', async () => {
    await traffic.append(20)
    const backup = await takeBackup()
    const brought = (await backups.read(`${backup.folder}/base/postgresql.auto.conf`)).toString('utf8')
    if (!brought.includes("archive_mode = 'on'") || !brought.includes(archive.path))
      throw new Failure('nothing-brought-along', 'the backup does not say where its server archives: nothing is tried')
    return backup
  })
  const target = await step('Serve on, up to the target and beyond', async () => {
    await traffic.append(20)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(10)
    await archive.waitFor(await primary.switchWal(), primary)
    return target
  })
  const watch = watchArchive(primary, archive, { backup, target })
  const sealed = await step('The alarm is quiet', async () => {
    await expectQuiet(watch, journal)
    return await archive.fingerprint()
  })
  const expectUntouched = async (restored: PostgresNode) => {
    await expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal)
    await expectQuiet(watch, journal)
  }

  const sinceMs = performance.now()
  await step('Settings that lead back to the archive are refused before a start', () =>
    expectCaught(
      () => launch(backup, { target, settings: intoPrimarys }),
      {
        kind: 'archives-into-source',
        message: /^the server is not to be started: it would archive into \S+, which it is/,
      },
      journal,
    ),
  )
  await step('Appended by hand, they are found while the server waits at its target', async () => {
    const restored = await restore(backup, { target, action: 'pause' })
    await restored.configure(intoPrimarys)
    await restored.launchServer()
    await expectPausedAt(restored, target, journal)
    await expectCaught(
      () => expectIsolated(restored, journal),
      {
        kind: 'not-isolated',
        message: /could reach what it was restored from: archive_mode = 'on', archive_command = /,
      },
      journal,
    )
    await expectUntouched(restored)
    await restored.destroy()
  })
  const ownArchive = await newArchive()
  const restored = await step('Restored as it should be, and promoted, it archives nothing', async () => {
    const { restored } = await recover(backup, { target, ownArchive })
    await restored.promote()
    await expectTimeline(restored, backup.timeline + 1, journal)
    await finishSegments(restored, 2)
    await expectArchivesNothing(restored, journal)
    await expectUntouched(restored)
    return restored
  })
  await step("Returning it to service into the primary's archive is refused", async () => {
    await expectCaught(
      () => returnToService(restored, archive),
      {
        kind: 'archive-not-own',
        message: /^restored is not returned to service: the archive \S+ is not its own, with /,
      },
      journal,
    )
    await expectArchivesNothing(restored, journal)
    await expectUntouched(restored)
  })
  await step('In service, with an archive of its own, it leaves the first as it was', async () => {
    await returnToService(restored, ownArchive)
    const [segment] = await finishSegments(restored, 1)
    if (segment) await ownArchive.waitFor(segment, restored)
    await expectUntouched(restored)
  })
  await step('No alarm has rung', () =>
    expectSignals(watch, 'restored server set to archive into its source', sinceMs, journal),
  )
})
