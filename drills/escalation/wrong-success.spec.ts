// Recoveries that come up, look well, and are wrong.
//
// Goal:   a server that answers is not taken for one that was recovered: whichever way a recovery went wrong without a word, one of
//         the things that every recovery drill asks of its server tells.
// Method: have a later line of the configuration unset the target; lose a segment, see its alarm ring, and recover without a target;
//         follow another timeline than the one that is meant, by reading one archive of two and by a setting. See each server
//         promote, write on, and answer /health with 200; then hold the suite's own judges to it.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectHealth } from '../../fixtures/expectations/application.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import {
  expectEndedAfter,
  expectPausedAt,
  expectPromotedAt,
  expectTimeline,
} from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { expectFollowed } from '../../fixtures/expectations/timelines.ts'
import { readContents } from '../../helpers/archive/archive-contents.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import type { Ledger } from '../../helpers/workload/ledger.ts'

const before = (lsn: Lsn) => ({ kind: 'lsn', lsn, inclusive: false }) as const

test('a recovery that went wrong without a word is not taken for one that succeeded', {
  meta: { id: 'N14', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  newArchive,
  commands,
  database,
  takeBackup,
  traffic,
  trafficOn,
  ledger,
  restore,
  startRecovery,
  launch,
  journal,
  step,
  each,
}) => {
  const expectLooksWell = async (restored: PostgresNode) => {
    const application = await database.on(restored)
    await expectHealth(application, 'ready', journal)
    await application.stop()
  }
  const expectRowsWrong = (restored: PostgresNode, of: Ledger, lsn: Lsn) =>
    expectCaught(
      () => expectLedgerAt(restored, of, { lsn, inclusive: false }, journal),
      { kind: 'rows-missing', message: /^\d+ rows promised at .* missing/ },
      journal,
    )

  const backup = await step('Take a base backup', () => takeBackup())
  const { parting, lost, target, last } = await step(
    'Fill three segments, with the target in the third, and delete everything behind it',
    async () => {
      await traffic.append(20)
      const parting = before(await primary.lsn('insert'))
      await traffic.append(40)
      await primary.switchWal()
      await traffic.append(20)
      const lost = await primary.switchWal()
      await traffic.append(20)
      const target = before(await primary.lsn('insert'))
      await traffic.deleteEverything()
      const last = await primary.switchWal()
      await archive.waitFor(last, primary)
      journal.observe({ target: target.lsn.toString(), lost: lost.name, last: last.name })
      return { parting, lost, target, last }
    },
  )
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarms are quiet', () => expectQuiet(watch, journal))

  const droppedAtMs = performance.now()
  const dropped = await step(
    'Recover, with the target unset by a later line: it promotes, and looks well',
    async () => {
      const restored = await restore(backup, { target, action: 'pause' })
      await restored.configure({ recovery_target_lsn: '' })
      await startRecovery(restored, target, watch)
      await expectNoStall(watch, expectEndedAfter(restored, last, journal), journal)
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectLooksWell(restored)
      return restored
    },
  )
  await step('Where it stopped tells, and what it holds', async () => {
    const past = {
      kind: 'recovered-past-target',
      message: /did not stop at LSN .*: it replayed all it could get and promoted/,
    }
    await expectCaught(() => expectPausedAt(dropped, target, journal), past, journal)
    await expectCaught(() => expectPromotedAt(dropped, target, journal), past, journal)
    await expectRowsWrong(dropped, ledger, target.lsn)
    await dropped.destroy()
  })
  await step('No alarm has rung for it', () => expectSignals(watch, 'target dropped on the way', droppedAtMs, journal))

  const { putBack, takenAtMs } = await step('Lose a segment that only the archive holds', async () => {
    const putBack = await takeSegment(archive, lost)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('The right alarm fires, alone, before anybody recovers', () =>
    expectMissingFiring(
      watch,
      { segments: [lost], blocks: `recovery to the target ${target.lsn}`, recoverableTo: lost.start },
      takenAtMs,
      journal,
    ),
  )
  await step('No other signal fires', () =>
    expectSignals(watch, 'recovery without a target past a gap', takenAtMs, journal),
  )
  const short = await step('Recover without a target: it promotes at the gap, and looks well', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    await expectNoStall(watch, expectEndedAfter(restored, lost.previous, journal), journal)
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectLooksWell(restored)
    return restored
  })
  await step('Where it ended tells, and what it lacks', async () => {
    await expectCaught(
      () => expectEndedAfter(short, last, journal),
      { kind: 'archive-end-not-reached', message: /promoted after [0-9A-F]{24}, .* before the end of the archive in/ },
      journal,
    )
    await expectRowsWrong(short, ledger, target.lsn)
    await short.destroy()
  })
  await step('Put back, the alarm clears', async () => {
    await putBack()
    await expectCleared(watch, 'missing-archive-segment', journal)
  })

  const { sources, branch, history, onSecond } = await step(
    'Recover to an earlier moment, and serve from there on timeline 2',
    async () => {
      const ownArchive = await newArchive()
      const settings = { archive_mode: true, archive_command: commands.archiveTo(ownArchive) }
      const server = await launch(backup, { target: parting, ownArchive, settings })
      await expectPromotedAt(server, parting, journal)
      const branch = ledger.branch({ lsn: parting.lsn, inclusive: false })
      const flow = trafficOn(server, branch)
      await flow.append(20)
      const onSecond = before(await server.lsn('insert'))
      await flow.append(5)
      await ownArchive.waitFor(await server.switchWal(), server)
      const sources = [ownArchive, archive]
      const { histories } = await readContents(sources)
      const history = histories.get(2)
      if (!history) throw new Error('the second timeline has no history')
      journal.observe({ parting: parting.lsn.toString(), onSecond: onSecond.lsn.toString() })
      await server.destroy()
      return { sources, branch, history, onSecond }
    },
  )
  const followedAtMs = performance.now()
  await each(
    [
      { way: 'an archive of two', timeline: 2, request: { target: onSecond } },
      { way: "'current' for 'latest'", timeline: 3, request: { target: onSecond, targetTimeline: 'current', sources } },
    ] as const,
    ({ way }) =>
      `Recover along the timeline that was left, by ${way}: it stops at its target and looks well, and is caught`,
    async ({ timeline, request }) => {
      const watch = watchArchive(primary, archive, { backup, target })
      const restored = await launch(backup, { ...request, watch })
      await expectNoStall(watch, expectPromotedAt(restored, onSecond, journal), journal)
      await expectLooksWell(restored)
      // The number of its own timeline tells only where it did not know of the one that was meant.
      if (timeline === 3) await expectTimeline(restored, 3, journal)
      else
        await expectCaught(
          () => expectTimeline(restored, 3, journal),
          { kind: 'wrong-timeline', message: /is on timeline 2 instead of 3$/ },
          journal,
        )
      await expectCaught(
        async () => expectFollowed(restored, history, archive.segmentSizeBytes, journal),
        { kind: 'wrong-timeline-followed', message: /read 00000001[0-9A-F]{16}.*, along the history of timeline 2$/ },
        journal,
      )
      await expectRowsWrong(restored, branch, onSecond.lsn)
      await restored.destroy()
    },
  )
  await step('Done right, it passes the same judges', async () => {
    const restored = await launch(backup, { target: onSecond, sources, watch })
    const recovered = expectRecoveredTo(restored, onSecond, { timeline: 3, ledger: branch }, journal)
    await expectNoStall(watch, recovered, journal)
    expectFollowed(restored, history, archive.segmentSizeBytes, journal)
  })
  await step('No alarm has rung for it', () => expectSignals(watch, 'wrong timeline followed', followedAtMs, journal))
})
