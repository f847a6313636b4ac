// The segment in which the base backup begins disappears from the archive.
//
// Goal:   it is known at once that this backup is of no use at all, whatever the target; and no server comes up from it, also
//         where no target is there that would keep it from promoting.
// Method: prove the alarm quiet, take the segment, see the alarm say that no consistent point is left; try to recover to the
//         earliest point there is, to a target and to the end of the archive; put it back, and lose nothing.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { expectNothingReplayed } from '../../fixtures/expectations/recovery.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { describeTarget, type RecoveryTarget } from '../../helpers/recovery/recovery-target.ts'

test('without the segment that the backup begins in no recovery starts, and that escalates', {
  meta: { id: 'N4', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step, each }) => {
  const backup = await step('Take a base backup', async () => {
    await traffic.append(20)
    return await takeBackup()
  })
  const first = WalSegment.containing(backup.startLsn, backup.timeline, backup.segmentSizeBytes)
  const { target, last } = await step('Commit on both sides of the target', async () => {
    await traffic.append(50)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(50)
    const last = await primary.switchWal()
    await archive.waitFor(last, primary)
    journal.observe({ target: target.lsn.toString(), lost: first.name })
    return { target, last }
  })
  const targets: RecoveryTarget[] = [{ kind: 'immediate' }, target, { kind: 'latest' }]
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { putBack, takenAtMs } = await step('Lose the segment that the backup begins in', async () => {
    const putBack = await takeSegment(archive, first)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('The alarm fires: there is no consistent point', () =>
    expectMissingFiring(
      watch,
      { segments: [first], blocks: 'any consistent point of the backup', recoverableTo: undefined },
      takenAtMs,
      journal,
    ),
  )
  await step('No other signal fires', () =>
    expectSignals(watch, 'first segment of the backup lost', takenAtMs, journal),
  )
  await each(
    targets,
    target => `No recovery starts, to ${describeTarget(target)}`,
    async target => {
      const restored = await launch(backup, { target })
      await expectNothingReplayed(restored, { lacking: first }, journal)
      await restored.destroy()
    },
  )

  await step('Put back, the alarm clears', async () => {
    await putBack()
    await expectCleared(watch, 'missing-archive-segment', journal)
  })
  await step('Recovery to the end of the archive brings back every commit', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    await expectNoStall(
      watch,
      expectRecoveredToEnd(restored, last, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
  })
})
