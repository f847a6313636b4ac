// The archive_command succeeds, and stores nothing, or the name alone.
//
// Goal:   segments that the server takes for archived and the archive does not hold are named, while pg_stat_archiver looks healthy.
//         As long as pg_wal still has them nothing is lost.
// Method: prove the alarm quiet, let the command lie about whole segments, then about the content of some; each time see the alarm
//         ring, take the lie out, store by hand what was not stored, and see the alarm clear. Then recover through all of it.
import { test } from '../../fixtures/drill.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { expectArchived, expectGrowthFiring } from '../../fixtures/escalation/wal-growth.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import type { Deviation } from '../../helpers/evidence/evidence.ts'
import type { FaultName } from '../../helpers/evidence/faults.ts'
import {
  breakArchiveCommand,
  type CommandFault,
  storeNothing,
  storeThirdEmpty,
} from '../../helpers/faults/archive-command-faults.ts'
import type { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { archiveByHand } from '../../helpers/recovery/wal-commands.ts'

/** The server forgets them at its next checkpoints, and no archiver comes back to them. */
const STORED_BY_HAND: Deviation = {
  section: '4',
  what: 'segments that an archive_command had acknowledged without storing them were stored by hand from pg_wal',
  why: 'the server takes them for archived: it will not archive them again, and removes them at one of its next checkpoints',
  proposedText:
    'Compare the WAL that was generated with the archive itself: pg_stat_archiver only repeats what archive_command claims. When segments are missing there that it calls archived, repair archive_command, run it by hand for each of them while pg_wal still has it, and take a new base backup where one is lost.',
}

test('a lying archive_command is found by looking into the archive, and nothing is lost while pg_wal still has it', {
  meta: { id: 'N8', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, commands, takeBackup, traffic, ledger, launch, journal, step }) => {
  const backup = await step('Take a base backup', takeBackup)
  const finishSegments = async (count: number) => {
    const segments: WalSegment[] = []
    while (segments.length < count) {
      await traffic.append(20)
      segments.push(await primary.switchWal())
    }
    return segments
  }
  const { first, lsn } = await step('Fill a segment', async () => {
    const lsn = await primary.lsn('insert')
    const [first] = await finishSegments(1)
    if (!first) throw new Error('no segment was finished')
    await archive.waitFor(first, primary)
    return { first, lsn }
  })
  const watch = watchArchive(primary, archive, { backup, target: { lsn } })
  const command = commands.archiveTo(archive)

  const lies: { title: string; fault: FaultName; lie: CommandFault; isStored: (segment: WalSegment) => boolean }[] = [
    {
      title: 'stores nothing',
      fault: 'archive_command stores nothing and succeeds',
      lie: storeNothing,
      isStored: () => false,
    },
    {
      title: 'stores every third one empty',
      fault: 'archive_command stores every third segment empty',
      lie: storeThirdEmpty(archive.path),
      isStored: ({ name }) => !/[0369CF]$/.test(name),
    },
  ]
  for (const { title, fault, lie, isStored } of lies) {
    await step('The alarm is quiet', () => expectQuiet(watch, journal))
    const { repair, segments, sinceMs } = await step(
      `Fill three segments, which archive_command ${title}`,
      async () => {
        const repair = await breakArchiveCommand(primary, command, lie)
        const sinceMs = performance.now()
        const segments = await finishSegments(3)
        // While those are being stored they are lacking too.
        for (const segment of segments.filter(isStored)) await archive.waitFor(segment, primary)
        return { repair, segments, sinceMs }
      },
    )
    const lacking = segments.filter(segment => !isStored(segment))
    await step('The right alarm fires, while pg_stat_archiver looks healthy', () =>
      expectGrowthFiring(
        watch,
        {
          cause: 'command-lying',
          lacking,
          archiver: { isRunning: true, failedCount: 0, hasFailedLast: false },
          // What the archive should have and has not does block a recovery: both are true.
          besides: ['missing-archive-segment'],
        },
        sinceMs,
        journal,
      ),
    )
    await step('No other signal fires', () => expectSignals(watch, fault, sinceMs, journal))
    await step('Repaired, and stored by hand, the archive lacks nothing', async () => {
      await repair()
      const { wrongSized } = await archive.list()
      for (const { segment } of wrongSized) await archive.take(segment.name)
      await archiveByHand(
        primary,
        lacking.map(({ name }) => name),
        command,
      )
      journal.deviate(STORED_BY_HAND)
      await expectArchived(watch, first, segments.at(-1) ?? first, journal)
    })
    await step('The alarm clears', () => expectCleared(watch, 'wal-growth-without-archiving', journal))
  }

  await step('A recovery through all of it holds every commit', async () => {
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(10)
    await archive.waitFor(await primary.switchWal(), primary)
    const restored = await launch(backup, { target, watch })
    await expectNoStall(
      watch,
      expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
  })
})
