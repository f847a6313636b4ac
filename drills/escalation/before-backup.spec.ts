// A segment disappears from the archive before the base backup.
//
// Goal:   a gap that no recovery from this backup comes to wakes nobody; it is stated all the same, since an older backup
//         would need it.
// Method: archive three segments before the backup and two after it, take the middle one of those before, and watch for longer
//         than the window; then recover to the target, with the segment still missing.
import { test } from '../../fixtures/drill.ts'
import { expectStated } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectQuiet, expectQuietThroughout, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'

test('a segment lost before the base backup is stated, and neither escalates nor stands in the way', {
  meta: { id: 'N3', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step }) => {
  const lost = await step('Fill three segments before the backup', async () => {
    await traffic.append(20)
    await primary.switchWal()
    await traffic.append(20)
    const lost = await primary.switchWal()
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
    return lost
  })
  const backup = await step('Take a base backup', takeBackup)
  const target = await step('Commit on both sides of the target', async () => {
    await traffic.append(50)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(50)
    await archive.waitFor(await primary.switchWal(), primary)
    journal.observe({ target: target.lsn.toString(), lost: lost.name })
    return target
  })
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet, and nothing is missing', async () => {
    await expectQuiet(watch, journal)
    await expectStated(watch, [], journal)
  })

  const { putBack, takenAtMs } = await step('Lose a segment that the backup does not need', async () => {
    const putBack = await takeSegment(archive, lost)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('It is stated', () => expectStated(watch, [lost], journal))
  await step('The alarm stays quiet for longer than its window', () => expectQuietThroughout(watch, takenAtMs, journal))
  await step('No other signal fires either', () =>
    expectSignals(watch, 'segment lost before the backup', takenAtMs, journal),
  )
  await step('Recovery to the target succeeds without it', async () => {
    const restored = await launch(backup, { target, watch })
    await expectNoStall(
      watch,
      expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
  })
  await step('Put back, it is no longer stated', async () => {
    await putBack()
    await expectStated(watch, [], journal)
    await expectQuiet(watch, journal)
  })
})
