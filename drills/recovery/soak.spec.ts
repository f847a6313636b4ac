// A recovery that takes a while: a gibibyte of data, two gibibytes of WAL, to an LSN.
//
// Goal:   size changes nothing but the time, and the time is what was predicted from a recovery a tenth as large; the suite
//         itself needs no more memory for it.
// Method: recover a small backup and measure; grow the same database tenfold, predict, lose the primary, recover to an
//         LSN, promote, compare with the ledger, and hold the prediction against what it took.
import { test } from '../../fixtures/drill.ts'
import { expectIsolated, expectPausedAt, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { expectWatchedThrough, expectWatchedTo } from '../../fixtures/expectations/watch.ts'
import { BulkLoad, bulkTables, expectLittleMemory, measureMemory } from '../../fixtures/soak.ts'
import type { BaseBackup } from '../../helpers/backup/base-backup.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'
import {
  assertPredicted,
  type MeasuredRecovery,
  measureRecovery,
  predict,
  typicalOf,
} from '../../helpers/recovery/prediction.ts'
import { RecoveryTime } from '../../helpers/recovery/recovery-time.ts'

const MEBIBYTE = 2 ** 20

test('a large recovery takes as long as a small one predicts', {
  meta: { id: 'S1', runbook: '3' },
  tags: ['soak'],
  timeout: 1_200_000,
}, async ({
  primary,
  archive,
  takeBackup,
  ledger,
  restore,
  startRecovery,
  journal,
  step,
  longStep,
  replayProgress,
}) => {
  const load = new BulkLoad(primary, archive, ledger)
  const write = async (walBytes: number) => {
    using bar = longStep({ what: 'load', unit: 'WAL bytes', of: walBytes })
    await load.write(walBytes, done => bar.reach({ done }))
  }

  const recover = async (backup: BaseBackup, lsn: Lsn) => {
    const target = { kind: 'lsn', lsn, inclusive: false } as const
    const time = new RecoveryTime()
    const restored = await restore(backup, { target, action: 'pause' })
    using bar = replayProgress(backup, lsn)
    const watch = await startRecovery(restored, target, undefined, bar)
    const paused = await expectPausedAt(restored, target, journal)
    const course = await watch.stop()
    bar[Symbol.dispose]()
    time.follow(course)
    expectWatchedTo(course, paused, journal)
    await expectIsolated(restored, journal)
    await restored.promote()
    time.follow(watch.course)
    expectWatchedThrough(watch.course, journal)
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectLedgerAt(restored, ledger, { lsn, inclusive: false }, journal, bulkTables)
    await restored.destroy()
    const rto = time.measured()
    journal.record.rto = rto
    return { course: watch.course, rto }
  }

  const small = await step('Back up a small database, write on, and note the target', async () => {
    await load.create()
    await write(100 * MEBIBYTE)
    const backup = await takeBackup()
    await write(200 * MEBIBYTE)
    const lsn = await primary.lsn('insert')
    await load.write(1)
    return { backup, lsn }
  })
  const { measured, memory } = await step('Recover it three times, and measure', async () => {
    // As when the large one is recovered: a primary would go on writing out what it was given.
    await primary.stop()
    const measurements: MeasuredRecovery[] = []
    using rounds = longStep({ what: 'small recoveries', unit: 'rounds', of: 3 })
    while (measurements.length < 3) {
      const { course, rto } = await recover(small.backup, small.lsn)
      measurements.push(measureRecovery(course, small.backup.sizeBytes, rto))
      rounds.reach({ done: measurements.length })
    }
    journal.observe({ measurements: measurements.map(one => ({ ...one })) })
    await primary.start()
    return { measured: typicalOf(measurements), memory: await measureMemory() }
  })

  const large = await step('Grow it tenfold, back it up, write on, and note the target', async () => {
    await write(900 * MEBIBYTE)
    const backup = await takeBackup()
    await write(2_050 * MEBIBYTE)
    const lsn = await primary.lsn('insert')
    await load.write(1)
    return { backup, lsn }
  })
  await step('Lose the primary', () => primary.destroy())
  const prediction = await step('Predict how long its recovery will take', () => {
    const walBytes = Number(large.lsn.minus(large.backup.startLsn))
    const prediction = predict(measured, { databaseBytes: large.backup.sizeBytes, walBytes })
    journal.predict(prediction)
    return prediction
  })
  const { rto } = await step('Recover it', () => recover(large.backup, large.lsn))
  await step('It took what was predicted', () => {
    const factor = assertPredicted(prediction, rto.seconds)
    journal.observe({ predictedSeconds: prediction.seconds, measuredSeconds: rto.seconds, factor })
    journal.prove(`the recovery took ${factor.toFixed(2)} times what a tenth as large a one predicted`)
  })
  await step('The suite needed no more memory for it', async () => {
    expectLittleMemory(memory, await measureMemory(), journal)
  })
})
