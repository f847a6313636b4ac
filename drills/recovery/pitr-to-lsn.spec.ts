// Point-in-time recovery to an LSN, on a server that never saw the primary's disk: the runbook's section 3, step by step.
//
// Goal:   the recovered server holds what was committed before the bad change, and nothing else; it is healthy, on the
//         next timeline, and could not have touched the archive it came from.
// Method: commit on both sides of a target, delete everything, fence the application, lose the primary with its disk,
//         recover from base backup and archive alone; compare with the ledger while replay is paused, promote, serve.
import { test } from '../../fixtures/drill.ts'
import { expectFenceHeld, expectHealth, expectTrafficFlows } from '../../fixtures/expectations/application.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectObjectives, measureRpo } from '../../fixtures/expectations/objectives.ts'
import { expectIsolated, expectPausedAt, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectCountsSince, expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { expectWatchedThrough, expectWatchedTo } from '../../fixtures/expectations/watch.ts'
import { compareTables, describeDamage } from '../../helpers/readiness/damage.ts'
import { readTables } from '../../helpers/readiness/table-state.ts'
import { A_LARGE_DATABASE, measureRecovery, predict, timesLarger } from '../../helpers/recovery/prediction.ts'
import { RecoveryTime } from '../../helpers/recovery/recovery-time.ts'

test('recovery to an LSN keeps every commit before the target and none after', {
  meta: { id: 'P1', runbook: '3' },
  tags: ['core', 'nightly', 'recovery'],
}, async ({
  primary,
  archive,
  takeBackup,
  dispatch,
  traffic,
  ledger,
  snapshot,
  restore,
  startRecovery,
  runtime,
  config,
  journal,
  capture,
  step,
}) => {
  await step('Serve traffic', async () => {
    await traffic.bulk(20_000)
    traffic.start()
    await traffic.append(100)
  })
  const backup = await step('Take a base backup while it flows', takeBackup)
  const before = await step('Capture the pre-incident snapshot', snapshot)
  await step('Serve more traffic', () => traffic.append(200))
  const target = await step('Note the target', async () => {
    const lsn = await primary.lsn('insert')
    journal.observe({ target: lsn.toString() })
    return { kind: 'lsn', lsn, inclusive: false } as const
  })
  await step('Make the bad change: a DELETE without a WHERE', () => traffic.deleteEverything())
  const time = new RecoveryTime()
  capture.event('the incident')
  await step('Serve traffic after it, until somebody notices', () => traffic.append(50))
  time.ended('noticed')

  await step('Stop write traffic: pause worker and API, and prove the fence', async () => {
    const fence = await dispatch.fence()
    const fenceLsn = await primary.lsn('insert')
    const { commits, interruptions } = await traffic.stop()
    journal.observe({
      refused: fence.refused,
      backends: fence.backends,
      flowedCommits: commits,
      interruptedWriters: interruptions.length,
    })
    expectFenceHeld(fenceLsn, ledger, journal)
  })
  time.ended('write traffic stopped')
  const emergency = await step('Take the emergency snapshot', snapshot)
  await step('Archive the last segment', async () => {
    const last = await primary.switchWal()
    await archive.waitFor(last, primary)
    journal.observe({ last: last.name })
  })
  time.ended('emergency snapshot taken')

  const sealed = await step('Lose the primary, its volume with it', async () => {
    await primary.destroy()
    return await archive.fingerprint()
  })
  time.ended('primary destroyed')
  const restored = await step('Restore onto a clean volume, check, configure recovery', () =>
    restore(backup, { target, action: 'pause' }),
  )
  const { application, watch } = await step('Start it, and watch replay until it pauses at the target', async () => {
    const watch = await startRecovery(restored, target)
    const [application, paused] = await Promise.all([dispatch.on(restored), expectPausedAt(restored, target, journal)])
    expectWatchedTo(await watch.stop(), paused, journal)
    return { application, watch }
  })
  time.follow(watch.course)

  const moment = { lsn: target.lsn, inclusive: false } as const
  await step('Health while recovering: 503', () => expectHealth(application, 'recovering', journal))
  await step('Rows and checksums while paused, as promised', async () => {
    await expectLedgerAt(restored, ledger, moment, journal)
  })
  await step('The restored server is isolated', () => expectIsolated(restored, journal))
  time.ended('verified while paused')

  await step('Promote, on the next timeline', async () => {
    await restored.promote()
    await expectTimeline(restored, backup.timeline + 1, journal)
    expectWatchedThrough(watch.course, journal)
  })
  time.follow(watch.course)
  await step('Health after promotion: 200', () => expectHealth(application, 'ready', journal))
  time.ended('healthy')

  const comparison = await step('Rows and checksums after promotion, as promised', () =>
    expectLedgerAt(restored, ledger, moment, journal),
  )
  await step('Counts: pre-incident snapshot plus commits up to the target', async () => {
    await using session = await application.session()
    const now = await readTables(session)
    await expectCountsSince(before, now, ledger, moment, journal)
    journal.measure({ rows: Object.values(now).reduce((sum, { rows }) => sum + rows, 0) })
    journal.observe({ damage: compareTables(now, emergency.tables).map(describeDamage) })
  })
  await step('Traffic flows again', () => expectTrafficFlows(application, journal))
  await step('The archive is as it was', () =>
    expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal),
  )
  await step('Recovery time and loss, against the objectives', () => {
    const rto = time.measured(config.rtoSeconds)
    const measured = measureRecovery(watch.course, backup.sizeBytes, rto)
    for (const size of [timesLarger(measured, 10), A_LARGE_DATABASE]) journal.predict(predict(measured, size))
    expectObjectives({ rto, rpo: measureRpo(comparison, { ledger, recoveredTo: target.lsn }, config) }, journal)
  })
})
