// A segment disappears from the archive beyond the target.
//
// Goal:   the recovery that is meant goes on as if nothing had happened, and it is known, before anybody needs it, how far a
//         later one would come: to which LSN and time.
// Method: prove the alarm quiet, take a segment behind that of the target, see the alarm say where recovery ends now; then
//         recover to the target, to behind the gap, and without a target, which ends where the alarm said. Put it back.
import { test } from '../../fixtures/drill.ts'
import { expectMissingFiring, expectPassage } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { type ExclusiveLsn, expectRecoveredTo, expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { expectRecoveryRefused } from '../../fixtures/expectations/recovery.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'

const before = (lsn: Lsn): ExclusiveLsn => ({ kind: 'lsn', lsn, inclusive: false })

test('a segment lost beyond the target escalates with how far one can come back, and stands in no recovery to the target', {
  meta: { id: 'N2', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step }) => {
  const expectRecovered = async (target: ExclusiveLsn) => {
    const restored = await launch(backup, { target, watch })
    await expectNoStall(
      watch,
      expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
    await restored.destroy()
  }

  const backup = await step('Take a base backup', takeBackup)
  const target = await step('Fill the segment of the target', async () => {
    await traffic.append(50)
    const target = before(await primary.lsn('insert'))
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
    return target
  })
  const watch = watchArchive(primary, archive, { backup, target })
  const { limit, lost, beyond } = await step('Serve on, under watch, in three segments more', async () => {
    await traffic.append(20)
    await expectQuiet(watch, journal)
    await traffic.append(20)
    const limit = await primary.switchWal()
    await archive.waitFor(limit, primary)
    await traffic.append(20)
    await expectQuiet(watch, journal)
    const lost = await primary.switchWal()
    await traffic.append(20)
    const beyond = before(await primary.lsn('insert'))
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
    journal.observe({ target: target.lsn.toString(), lost: lost.name, beyond: beyond.lsn.toString() })
    return { limit, lost, beyond }
  })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { putBack, takenAtMs } = await step('Lose a segment beyond that of the target', async () => {
    const putBack = await takeSegment(archive, lost)
    return { putBack, takenAtMs: performance.now() }
  })
  await step('The alarm fires, and says how far one can come back', async () => {
    const [alarm] = await expectMissingFiring(
      watch,
      { segments: [lost], blocks: `recovery beyond the target ${target.lsn}`, recoverableTo: lost.start },
      takenAtMs,
      journal,
    )
    expectPassage(alarm, ledger, journal)
  })
  await step('No other signal fires', () => expectSignals(watch, 'segment lost beyond the target', takenAtMs, journal))
  await step('Recovery to the target succeeds all the same', () => expectRecovered(target))
  await step('Recovery to behind the gap refuses to promote short of its target', async () => {
    const restored = await launch(backup, { target: beyond, watch })
    await expectNoStall(watch, expectRecoveryRefused(restored, { lacking: lost }, journal), journal)
    await restored.destroy()
  })
  await step('Recovery without a target promotes at the gap, where the alarm said', async () => {
    const restored = await launch(backup, { target: { kind: 'latest' }, watch })
    await expectNoStall(
      watch,
      expectRecoveredToEnd(restored, limit, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
    await restored.destroy()
  })

  await step('Put back, the alarm clears', async () => {
    await putBack()
    await expectCleared(watch, 'missing-archive-segment', journal)
  })
  await step('Recovery to behind the gap succeeds', () => expectRecovered(beyond))
})
