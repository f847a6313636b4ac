// A segment disappears from the archive between the base backup and the target.
//
// Goal:   the loss is reported before anyone restores, and a restore stops instead of promoting a server that is
//         silently short of rows.
// Method: prove the alarm quiet, take one segment that only the archive holds, see this alarm and no other ring once it has
//         outlasted the RTO window, try to recover, put the segment back, see the alarm clear and the recovery succeed.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectRecoveryRefused } from '../../fixtures/expectations/recovery.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'

test('a lost segment escalates, and recovery refuses to promote', {
  meta: { id: 'N1', runbook: '4' },
  tags: ['core', 'nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step }) => {
  const backup = await step('Take a base backup', takeBackup)
  const { lost, target } = await step('Fill three segments, with the target in the third', async () => {
    await traffic.append(50)
    await primary.switchWal()
    await traffic.append(50)
    const lost = await primary.switchWal()
    await traffic.append(50)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(50)
    await archive.waitFor(await primary.switchWal(), primary)
    journal.observe({ target: target.lsn.toString(), lost: lost.name })
    return { lost, target }
  })
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { putBack, takenAtMs } = await step('Lose a segment that only the archive holds', async () => {
    const putBack = await takeSegment(archive, lost)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('The right alarm fires, alone, once it has outlasted its window', () =>
    expectMissingFiring(
      watch,
      { segments: [lost], blocks: `recovery to the target ${target.lsn}`, recoverableTo: lost.start },
      takenAtMs,
      journal,
    ),
  )
  await step('No other signal fires', () =>
    expectSignals(watch, 'segment lost between backup and target', takenAtMs, journal),
  )
  await step('Recovery refuses to promote short of its target', async () => {
    const restored = await launch(backup, { target, watch })
    await expectNoStall(watch, expectRecoveryRefused(restored, { lacking: lost }, journal), journal)
    await restored.destroy()
  })

  await step('Put back, the alarm clears', async () => {
    await putBack()
    await expectCleared(watch, 'missing-archive-segment', journal)
  })
  await step('The same recovery succeeds', async () => {
    const restored = await launch(backup, { target, watch })
    await expectNoStall(
      watch,
      expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
  })
})
