// A second incident after the first recovery, and a third: recovery along timelines.
//
// Goal:   a server that was recovered and returned to service can be lost again, and brought back to any moment of its history:
//         before and after each switch of timelines, and on a timeline that was left, with the rows of that moment.
// Method: recover twice, each time to just before a bad change, and into service with an archive of its own: once archiving is
//         switched on after promotion; once with the lost server's pg_wal, archiving from promotion on. Lose the third server
//         too; then recover from either backup, by `latest`, `current` and number, each time against the ledger of that branch.
import { test } from '../../fixtures/drill.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import {
  expectIsolated,
  expectPausedAt,
  expectRecoveryRefused,
  expectTimeline,
} from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import {
  expectFollowed,
  expectHistory,
  expectPartial,
  expectTimelineRefused,
} from '../../fixtures/expectations/timelines.ts'
import type { WalArchive } from '../../helpers/archive/wal-archive.ts'
import type { BaseBackup } from '../../helpers/backup/base-backup.ts'
import { Failure } from '../../helpers/failure.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'
import { TimelineHistory } from '../../helpers/postgres/timeline-history.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { findUnarchived, moveIntoPgWal } from '../../helpers/recovery/salvage.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import type { Ledger } from '../../helpers/workload/ledger.ts'

/** A place to come back to, and along which timelines. */
interface Road {
  to: string
  from: BaseBackup
  by: 'latest' | 'current' | number
  lsn: Lsn
  ledger: Ledger
  history: TimelineHistory
  /** A restore_command that knows of what is there as `.partial`, where it takes one. */
  withPartial?: string
}

// A switch that the drill did not make would archive what it is to find unarchived.
test.override('primarySettings', { archive_timeout: 0 })

test('a recovered server is recovered again, to moments on every one of its timelines', {
  meta: { id: 'P6', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({
  primary,
  archive,
  newArchive,
  commands,
  takeBackup,
  traffic,
  trafficOn,
  ledger,
  losePrimary,
  restore,
  recover,
  returnToService,
  runtime,
  journal,
  step,
  each,
}) => {
  const { segmentSizeBytes } = archive
  const before = (lsn: Lsn) => ({ kind: 'lsn', lsn, inclusive: false }) as const
  const reader = (server: PostgresNode, from: WalArchive) => ({ server, restoreCommand: commands.restoreFrom(from) })
  /** Traffic in two segments, a target in each, a bad change, and what is left behind when one comes back to the target. */
  const serveUntilIncident = async (server: PostgresNode, flow: typeof traffic) => {
    await flow.append(20)
    const early = await server.lsn('insert')
    await flow.append(10)
    await server.switchWal()
    await flow.append(20)
    const target = await server.lsn('insert')
    await flow.deleteEverything()
    await flow.append(10)
    const left = await server.lsn('insert')
    await flow.append(5)
    journal.observe({ early: early.toString(), target: target.toString(), left: left.toString() })
    return { early, target, left }
  }

  const firstBackup = await step('Take a base backup', async () => {
    await traffic.append(20)
    return await takeBackup()
  })
  const [cluster] = await primary.query('SELECT system_identifier::text AS id FROM pg_control_system()')
  const first = await step('Serve until the first incident', () => serveUntilIncident(primary, traffic))
  const sealed = await step('Lose the primary', losePrimary)

  const secondArchive = await newArchive()
  const second = await step('Recover to before it', () =>
    recover(firstBackup, { target: before(first.target), ownArchive: secondArchive }),
  )
  const secondLedger = ledger.branch({ lsn: first.target, inclusive: false })
  const { secondBackup, toSecond } = await step('Return it to service: archive, history, a base backup', async () => {
    await second.restored.promote()
    await expectTimeline(second.restored, 2, journal)
    const secondBackup = await returnToService(second.restored, secondArchive)
    const switches = [{ timeline: 1, at: second.paused.replayLsn }]
    return { secondBackup, toSecond: await expectHistory(reader(second.restored, secondArchive), 2, switches, journal) }
  })
  const again = await step('Serve until the second incident', () =>
    serveUntilIncident(second.restored, trafficOn(second.restored, secondLedger)),
  )
  const unarchived = await step('Lose the second server, its last segment unarchived', async () => {
    const last = WalSegment.endingAt(again.target, 2, segmentSizeBytes).previous
    await secondArchive.waitFor(last, second.restored)
    await second.restored.kill()
    const segments = await findUnarchived(second.restored, { systemIdentifier: cluster?.id ?? '', last })
    journal.observe({ unarchived: segments.map(({ name }) => name) })
    return segments
  })

  const thirdArchive = await newArchive()
  const third = await step('Recover to before that, with its pg_wal, archiving from promotion on', async () => {
    const settings = { archive_mode: true, archive_command: commands.archiveTo(thirdArchive) }
    const restored = await restore(secondBackup, {
      target: before(again.target),
      action: 'pause',
      sources: [secondArchive, archive],
      elsewhere: unarchived,
      ownArchive: thirdArchive,
      settings,
    })
    await moveIntoPgWal(second.restored, unarchived, restored)
    await second.restored.destroy()
    await restored.launchServer()
    const paused = await expectPausedAt(restored, before(again.target), journal)
    await expectIsolated(restored, journal, Object.keys(settings))
    return { restored, paused }
  })
  const thirdLedger = secondLedger.branch({ lsn: again.target, inclusive: false })
  const toThird = await step(
    'It stores its history, and the segment in which it left its parent as .partial',
    async () => {
      await third.restored.promote()
      await expectTimeline(third.restored, 3, journal)
      await thirdArchive.waitFor(await third.restored.switchWal(), third.restored)
      const left = WalSegment.endingAt(third.paused.replayLsn, 2, segmentSizeBytes)
      await expectPartial(thirdArchive, left, 3, journal)
      const switches = [
        { timeline: 1, at: second.paused.replayLsn },
        { timeline: 2, at: third.paused.replayLsn },
      ]
      return await expectHistory(reader(third.restored, thirdArchive), 3, switches, journal)
    },
  )
  const last = await step('Serve until the third incident', () =>
    serveUntilIncident(third.restored, trafficOn(third.restored, thirdLedger)),
  )
  await step('Lose the third server', async () => {
    await thirdArchive.waitFor(await third.restored.switchWal(), third.restored)
    await third.restored.destroy()
  })

  const sources = [thirdArchive, secondArchive, archive]
  /** What the second server had not archived is there as `.partial` alone: it serves whoever asks for it by that name. */
  const withPartial = `${commands.restoreFrom(...sources)} || (${commands.restoreFrom(thirdArchive).replaceAll('%f', '%f.partial')})`
  const [onFirst, onSecond, onThird] = [
    { ledger, history: TimelineHistory.withoutParent(1) },
    { ledger: secondLedger, history: toSecond },
    { ledger: thirdLedger, history: toThird },
  ]
  const roads: Road[] = [
    { to: 'the third, over two switches', from: firstBackup, by: 'latest', lsn: last.target, ...onThird },
    { to: 'the third, over one', from: secondBackup, by: 'latest', lsn: last.target, ...onThird },
    { to: 'the first, before any', from: firstBackup, by: 'latest', lsn: first.early, ...onThird, ledger },
    { to: 'the second, over one', from: firstBackup, by: 2, lsn: again.early, ...onSecond },
    {
      to: 'the second, where it was left',
      from: secondBackup,
      by: 'current',
      lsn: again.left,
      ...onSecond,
      withPartial,
    },
    { to: 'the first, where it was left', from: firstBackup, by: 'current', lsn: first.left, ...onFirst },
    { to: 'the first, by its number', from: firstBackup, by: 1, lsn: first.left, ...onFirst },
  ]
  await each(
    roads,
    ({ to, by }) => `Recover along timeline ${by}, to a moment on ${to}`,
    async ({ from, by, lsn, ledger, history, withPartial }) => {
      const { restored } = await recover(from, {
        target: before(lsn),
        targetTimeline: by,
        sources,
        ...(withPartial ? { restoreCommand: withPartial, elsewhere: unarchived } : {}),
      })
      expectFollowed(restored, history, segmentSizeBytes, journal)
      await expectLedgerAt(restored, ledger, { lsn, inclusive: false }, journal)
      await restored.promote()
      // Of all timelines that have a history in reach: those that were left count too.
      await expectTimeline(restored, 4, journal)
      await expectLedgerAt(restored, ledger, { lsn, inclusive: false }, journal)
      await restored.destroy()
    },
  )
  await step('Without the .partial, what the second left is out of reach', async () => {
    const request = { target: before(again.left), targetTimeline: 'current', sources, action: 'pause' } as const
    const restored = await restore(secondBackup, { ...request, unchecked: true })
    await restored.launchServer()
    const [lacking] = unarchived
    if (!lacking) throw new Failure('nothing-unarchived', 'the second server had archived its last segment')
    await expectRecoveryRefused(restored, { lacking }, journal)
    await restored.destroy()
  })
  await step('To a timeline that the backup is not on, recovery refuses to go', async () => {
    const request = { target: before(first.left), targetTimeline: 1, sources, action: 'pause' } as const
    const restored = await restore(secondBackup, { ...request, unchecked: true })
    await restored.launchServer()
    await expectTimelineRefused(restored, /could not locate required checkpoint record/, journal)
    await expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal)
    await restored.destroy()
  })
})
