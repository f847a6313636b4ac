// A segment is in the archive and is not whole: cut off, or empty.
//
// Goal:   a file of that name is not enough: it is told as damaged, apart from what is missing, and no recovery takes it for the
//         end of the archive.
// Method: prove the alarm quiet; damage one segment in each way, see the alarm name it, see recovery refuse, bring it back and
//         see the alarm clear; at last recover with all of them whole.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { expectShortSegmentRefused } from '../../fixtures/expectations/recovery.ts'
import type { FaultName } from '../../helpers/evidence/faults.ts'
import { truncateSegment } from '../../helpers/faults/archive-faults.ts'
import type { RecoveryTarget } from '../../helpers/recovery/recovery-target.ts'

// The size of a segment that the user's commands have compressed would say nothing.
test.override('walCommands', {})

test('a segment that is not whole is told as damaged, and recovery does not take it for the end', {
  meta: { id: 'N6', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step }) => {
  const backup = await step('Take a base backup', takeBackup)
  const { segment, target, last } = await step('Fill three segments, with the target in the third', async () => {
    await traffic.append(30)
    await primary.switchWal()
    await traffic.append(30)
    const segment = await primary.switchWal()
    await traffic.append(30)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(30)
    const last = await primary.switchWal()
    await archive.waitFor(last, primary)
    journal.observe({ target: target.lsn.toString(), damaged: segment.name })
    return { segment, target, last }
  })
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const damages: { what: string; fault: FaultName; sizeBytes: number; recoverTo: RecoveryTarget }[] = [
    {
      what: 'cut off in the middle',
      fault: 'segment cut off in the middle',
      sizeBytes: segment.sizeBytes / 2,
      recoverTo: target,
    },
    { what: 'empty', fault: 'segment empty', sizeBytes: 0, recoverTo: { kind: 'latest' } },
  ]
  for (const { what, fault, sizeBytes, recoverTo } of damages) {
    const { repair, damagedAtMs } = await step(`Leave a segment ${what}`, async () => {
      const repair = await truncateSegment(archive, segment, sizeBytes)
      return { repair, damagedAtMs: performance.now() }
    })
    await step(`The right alarm fires, alone, and tells it as damaged: ${what}`, () =>
      expectMissingFiring(
        watch,
        {
          segments: [segment],
          damaged: [segment],
          damages: ['wrong-size'],
          blocks: `recovery to the target ${target.lsn}`,
          recoverableTo: segment.start,
        },
        damagedAtMs,
        journal,
      ),
    )
    await step(`No other signal fires: ${what}`, () => expectSignals(watch, fault, damagedAtMs, journal))
    await step(`Recovery refuses the segment: ${what}`, async () => {
      const restored = await launch(backup, { target: recoverTo, watch })
      await expectNoStall(watch, expectShortSegmentRefused(restored, { segment, sizeBytes }, journal), journal)
      await restored.destroy()
    })
    await step(`Whole again, the alarm clears: ${what}`, async () => {
      await repair()
      await expectCleared(watch, 'missing-archive-segment', journal)
    })
  }
  await step('Recovery to the end of the archive brings back every commit', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    await expectNoStall(
      watch,
      expectRecoveredToEnd(restored, last, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
  })
})
