// Two primaries archive into one archive: split brain.
//
// Goal:   no segment of either is overwritten; the one whose segment finds its name taken raises the alarm and names it, and the
//         other's stays quiet. A recovery follows whoever was first, without a word: what is missing is known before by the alarm.
// Method: start a backup beside its primary as it lies there, so that both write one timeline. Let the second server archive a
//         segment first, see the primary's alarm ring, recover into the wrong history; fence, set its segment aside, see all of
//         the primary's stored. Let another second server come too late, see its alarm ring, give it an archive of its own.
import { test } from '../../fixtures/drill.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { expectArchived, expectGrowthFiring, finishSegments } from '../../fixtures/escalation/wal-growth.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectConflictRefused, expectNothingOverwritten } from '../../fixtures/expectations/archive.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { expectEndedAfter, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import { startSecondPrimary } from '../../helpers/faults/second-primary.ts'
import type { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

// A switch that the drill did not make would archive a segment before its time.
test.override('primarySettings', { archive_timeout: 0 })

test('two primaries that archive into one archive overwrite nothing, and the one that comes second escalates', {
  meta: { id: 'N18', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  newArchive,
  newPlace,
  commands,
  takeBackup,
  traffic,
  trafficOn,
  ledger,
  launch,
  journal,
  step,
}) => {
  const backup = await step('Take a base backup', async () => {
    await traffic.append(30)
    const backup = await takeBackup()
    await archive.waitFor(await primary.switchWal(), primary)
    return backup
  })
  const timeline = backup.timeline + 1
  const window = { backup, target: { lsn: backup.stopLsn } }
  const watch = watchArchive(primary, archive, window)
  const refused = {
    cause: 'conflicting-segment',
    complaint: /^archive command failed with exit code \d+/,
    archiver: { isRunning: true, hasFailedLast: true },
  } as const
  /** It writes and finishes a segment. */
  const writeOn = async (server: PostgresNode, forked: typeof ledger): Promise<WalSegment> => {
    await trafficOn(server, forked).append(10)
    return await server.switchWal()
  }
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { second, taken } = await step(
    'A second primary, from the backup as it lies there, archives first',
    async () => {
      const second = newPlace('second', archive)
      await startSecondPrimary(second, backup, archive)
      await expectTimeline(second, backup.timeline, journal)
      const taken = await writeOn(second, ledger.branch({ lsn: backup.stopLsn, inclusive: false }))
      await archive.waitFor(taken, second)
      journal.observe({ taken: taken.name })
      return { second, taken }
    },
  )
  const { lacking, sinceMs } = await step('What the primary writes under that name is refused', async () => {
    const before = await archive.fingerprint()
    await traffic.append(20)
    const sinceMs = performance.now()
    const lacking = await finishSegments(primary, 2)
    await expectConflictRefused(primary, taken, archive, before, journal)
    return { lacking, sinceMs }
  })
  await step("The primary's alarm fires, alone, naming the conflict; the second's is quiet", async () => {
    await expectGrowthFiring(watch, { ...refused, lacking }, sinceMs, journal)
    await expectSignals(watch, 'second primary archives first', sinceMs, journal)
    await expectQuiet(watchArchive(second, archive, window), journal)
  })
  await step('Recovery follows the second primary, and lacks what the first had promised', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    await expectNoStall(watch, expectEndedAfter(restored, taken, journal), journal)
    await expectTimeline(restored, timeline, journal)
    await expectCaught(
      () => expectLedgerAt(restored, ledger, { lsn: taken.end, inclusive: false }, journal),
      {
        kind: 'rows-missing',
        message: /^\d+ rows promised at LSN \S+ exclusive missing: .*; \d+ rows there that must not be/,
      },
      journal,
    )
    await restored.destroy()
  })
  await step('The second fenced and its segment set aside, the archive catches up', async () => {
    await second.destroy()
    await takeSegment(archive, taken)
    await primary.reload()
    await expectArchived(watch, taken, lacking.at(-1) ?? taken, journal)
    await expectCleared(watch, 'wal-growth-without-archiving', journal)
  })
  await step('Recovery brings back every commit of the first', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    const recovered = expectRecoveredToEnd(restored, lacking.at(-1) ?? taken, { timeline, ledger }, journal)
    await expectNoStall(watch, recovered, journal)
    await restored.destroy()
  })

  const ownArchive = await newArchive()
  const late = newPlace('late', archive, [{ volume: ownArchive.volume, access: 'read-write' }])
  const lateWatch = watchArchive(late, [ownArchive, archive], window)
  const before = await step('Another second primary starts', async () => {
    await startSecondPrimary(late, backup, archive)
    await expectTimeline(late, backup.timeline, journal)
    await expectQuiet(lateWatch, journal)
    return await archive.fingerprint()
  })
  const lateSinceMs = await step('What it writes under a name that is taken is refused', async () => {
    const sinceMs = performance.now()
    await writeOn(late, ledger.branch({ lsn: backup.stopLsn, inclusive: false }))
    await expectConflictRefused(late, taken, archive, before, journal)
    return sinceMs
  })
  await step("Its alarm fires, alone, naming the conflict; the primary's is quiet", async () => {
    await expectGrowthFiring(lateWatch, { ...refused, lacking: [taken] }, lateSinceMs, journal)
    await expectSignals(lateWatch, 'second primary archives into a name that is taken', lateSinceMs, journal)
    await expectQuiet(watch, journal)
  })
  await step('With an archive of its own, its alarm clears, and the first archive is as it was', async () => {
    await late.configure({ archive_command: commands.archiveTo(ownArchive) })
    await late.reload()
    await ownArchive.waitFor(taken, late)
    await expectCleared(lateWatch, 'wal-growth-without-archiving', journal)
    await expectNothingOverwritten(archive, before, journal)
  })
})
