// The history file of a timeline disappears from the archive.
//
// Goal:   one small file less, every segment in its place, and nobody finds the way to where the server is: that is told, naming
//         the file, and a recovery stops instead of promoting on the timeline that was left.
// Method: recover a lost server and return it to service, so that there is a second timeline; prove the alarm quiet over both
//         archives, take the second timeline's history, see the alarm name it; try to recover from the backup of the first
//         timeline, by `latest` and by number; put the file back, see the alarm clear and the recovery succeed.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectRecoveryRefused } from '../../fixtures/expectations/recovery.ts'
import { expectTimelineRefused } from '../../fixtures/expectations/timelines.ts'
import { takeHistory } from '../../helpers/faults/archive-faults.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'
import { historyFile } from '../../helpers/postgres/timeline-history.ts'

const before = (lsn: Lsn) => ({ kind: 'lsn', lsn, inclusive: false }) as const

test("a timeline's history lost escalates, and recovery refuses to promote on the timeline that was left", {
  meta: { id: 'N5h', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  newArchive,
  takeBackup,
  traffic,
  trafficOn,
  ledger,
  losePrimary,
  launch,
  recover,
  returnToService,
  journal,
  step,
}) => {
  const backup = await step('Take a base backup', takeBackup)
  const switchAt = await step('Serve until the first incident', async () => {
    await traffic.append(20)
    const lsn = await primary.lsn('insert')
    await traffic.append(20)
    return lsn
  })
  await step('Lose the primary', losePrimary)
  const ownArchive = await newArchive()
  const { restored: server } = await step('Recover to before it', () =>
    recover(backup, { target: before(switchAt), ownArchive }),
  )
  const branch = ledger.branch({ lsn: switchAt, inclusive: false })
  const leftLast = (await archive.list()).newest(backup.timeline)
  if (!leftLast) throw new Error('the archive of the first timeline has no segment')
  const target = await step('Return it to service, past where the timeline was left', async () => {
    await server.promote()
    await returnToService(server, ownArchive)
    const flow = trafficOn(server, branch)
    await flow.append(20)
    await server.switchWal()
    await flow.append(20)
    const target = before(await server.lsn('insert'))
    await flow.append(20)
    await ownArchive.waitFor(await server.switchWal(), server)
    journal.observe({ leftLast: leftLast.name, target: target.lsn.toString() })
    return target
  })
  const sources = [ownArchive, archive]
  const watch = watchArchive(server, sources, { backup, target })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { putBack, takenAtMs } = await step('Lose the history of the second timeline', async () => {
    const putBack = await takeHistory(ownArchive, 2)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('The right alarm fires, alone, and names the file', () =>
    expectMissingFiring(
      watch,
      { segments: [], histories: [historyFile(2)], blocks: 'recovery beyond timeline 1', recoverableTo: leftLast.end },
      takenAtMs,
      journal,
    ),
  )
  await step('No other signal fires', () => expectSignals(watch, 'history file of a timeline lost', takenAtMs, journal))
  await step('Recovery follows the timeline that was left, and refuses to promote at its end', async () => {
    const restored = await launch(backup, { target, sources, watch, unchecked: true })
    await expectNoStall(watch, expectRecoveryRefused(restored, { lacking: leftLast.next }, journal), journal)
    await restored.destroy()
  })
  await step('By its number the timeline is not to be had', async () => {
    const restored = await launch(backup, { target, targetTimeline: 2, sources, watch, unchecked: true })
    await expectNoStall(
      watch,
      expectTimelineRefused(restored, /recovery target timeline 2 does not exist/, journal),
      journal,
    )
    await restored.destroy()
  })

  await step('Put back, the alarm clears', async () => {
    await putBack()
    await expectCleared(watch, 'missing-archive-segment', journal)
  })
  await step('The same recovery succeeds, along both timelines', async () => {
    const restored = await launch(backup, { target, sources, watch })
    await expectNoStall(watch, expectRecoveredTo(restored, target, { timeline: 3, ledger: branch }, journal), journal)
  })
})
