// Segments disappear all over the archive: before the backup, its first, several on the way to the target, the very last.
//
// Goal:   one look tells all that is missing, as ranges, and what each gap costs; what was put back is no longer told, and the
//         rest still is.
// Method: archive nine segments, take six of them, see one signal for each thing that is blocked; put back one gap after the
//         other, the worst first, and try after each what recovery does now.
import { test } from '../../fixtures/drill.ts'
import {
  expectMissingFiring,
  expectStated,
  expectStillFiring,
} from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo, expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { expectRecoveryRefused } from '../../fixtures/expectations/recovery.ts'
import { SegmentRange } from '../../helpers/archive/segment-range.ts'
import { untilAcknowledged } from '../../helpers/archive/server-progress.ts'
import { takeSegment } from '../../helpers/faults/archive-faults.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'

test('gaps all over the archive are told as ranges, each with what it blocks, until they are closed', {
  meta: { id: 'N5', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, journal, step }) => {
  const fill = async () => {
    await traffic.append(10)
    return await primary.switchWal()
  }
  const harmless = await step('Fill two segments before the backup', async () => {
    await fill()
    return await fill()
  })
  const backup = await step('Take a base backup', takeBackup)
  const first = WalSegment.containing(backup.startLsn, backup.timeline, backup.segmentSizeBytes)
  const { gap, single, target, last } = await step('Fill six segments after it', async () => {
    // Right behind the backup's own: one hole, of which each part blocks another thing.
    const gap = new SegmentRange(await fill(), await fill())
    await fill()
    const single = await fill()
    await traffic.append(10)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await fill()
    const last = await fill()
    await archive.waitFor(last, primary)
    // Of what lies behind all others, only the server knows that it was there.
    await untilAcknowledged(primary, last)
    return { gap, single, target, last }
  })
  const noConsistentPoint = { segments: [first], blocks: 'any consistent point of the backup' }
  const noTarget = { segments: [gap, single], blocks: `recovery to the target ${target.lsn}` }
  const nothingBeyond = { segments: [last], blocks: `recovery beyond the target ${target.lsn}` }
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet, and nothing is missing', async () => {
    await expectQuiet(watch, journal)
    await expectStated(watch, [], journal)
  })

  const { putBack, takenAtMs } = await step('Lose six segments', async () => {
    const putBack = {
      harmless: await takeSegment(archive, harmless),
      first: await takeSegment(archive, first),
      gap: [await takeSegment(archive, gap.first), await takeSegment(archive, gap.last)],
      single: await takeSegment(archive, single),
      last: await takeSegment(archive, last),
    }
    journal.observe({ lost: [harmless, first, gap, single, last].map(String) })
    return { putBack, takenAtMs: performance.now() }
  })
  await step('A signal fires for each thing that is blocked; the harmless gap is stated', async () => {
    await expectMissingFiring(
      watch,
      [noConsistentPoint, noTarget, nothingBeyond].map(one => ({ ...one, recoverableTo: undefined })),
      takenAtMs,
      journal,
    )
    await expectStated(watch, [harmless], journal)
  })
  await step('No other signal fires', () =>
    expectSignals(watch, 'segments lost all over the archive', takenAtMs, journal),
  )

  await step('With the first of the backup back, recovery comes as far as the next gap', async () => {
    await putBack.first()
    await expectStillFiring(
      watch,
      [noTarget, nothingBeyond].map(one => ({ ...one, recoverableTo: gap.first.start })),
      journal,
    )
    const restored = await launch(backup, { target, watch })
    await expectNoStall(watch, expectRecoveryRefused(restored, { lacking: gap.first }, journal), journal)
    await restored.destroy()
  })
  await step('With half of a range back, the other half is told', async () => {
    await putBack.gap[0]?.()
    await expectStillFiring(
      watch,
      [{ ...noTarget, segments: [gap.last, single] }, nothingBeyond].map(one => ({
        ...one,
        recoverableTo: gap.last.start,
      })),
      journal,
    )
  })
  await step('With all up to the target back, recovery reaches it; the last is still told', async () => {
    await putBack.gap[1]?.()
    await putBack.single()
    await expectStillFiring(watch, [{ ...nothingBeyond, recoverableTo: last.start }], journal)
    const restored = await launch(backup, { target, watch })
    await expectNoStall(
      watch,
      expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal),
      journal,
    )
    await restored.destroy()
  })
  await step('With the last back the alarm clears, and with the harmless one nothing is stated', async () => {
    await putBack.last()
    await expectCleared(watch, 'missing-archive-segment', journal)
    await putBack.harmless()
    await expectStated(watch, [], journal)
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
