// The runbook's section 2: from when to when could this server be brought back?
//
// Goal:   the window that an operator is told of before maintenance is the one that recovery finds: it begins with the base
//         backup, ends with the last archived commit, to the microsecond, and says how far that is behind now.
// Method: archive commits, and have the server itself tell the record of the last of them; hold the window against that. Then
//         recover to both ends of it.
import { test } from '../../fixtures/drill.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { expectFailures, expectWindow, lookAt } from '../../fixtures/preflight.ts'
import { readLastCommit } from '../../helpers/recovery/commit-record.ts'
import { momentOf } from '../../helpers/recovery/moment.ts'

test.override('primarySettings', { track_commit_timestamp: true, autovacuum: false })

test('the recovery window is the one that recovery finds', {
  meta: { id: 'R6', runbook: '2' },
  tags: ['nightly', 'readiness'],
}, async ({ primary, archive, takeBackup, traffic, ledger, recover, journal, step }) => {
  const backup = await step('Serve traffic around a base backup', async () => {
    await primary.query('CREATE EXTENSION pg_walinspect')
    await traffic.append(20)
    const backup = await takeBackup()
    await traffic.append(20)
    return backup
  })
  const last = await step('Archive it, and read the last commit off the server', async () => {
    const segment = await primary.switchWal()
    await using session = await primary.session()
    const last = await readLastCommit(session, segment)
    journal.observe({ start: String(last.start), time: last.time })
    await archive.waitFor(segment, primary)
    return last
  })
  await step('Serve traffic that is not archived', () => traffic.append(20))
  const window = await step('The window ends with that commit, and begins with the backup', async () => {
    const report = await lookAt(primary, archive)
    expectFailures(report, {}, journal)
    return await expectWindow(report, { from: backup.stoppedAt, to: last.time }, primary, journal)
  })
  await step('One can come back to its beginning', async () => {
    const target = { kind: 'time', time: window.from, inclusive: true } as const
    // What the drill noted as the backup's end is the clock just after it, which may be past the second in which it ended.
    const { restored, paused } = await recover(backup, { target, unchecked: true })
    await expectLedgerAt(restored, ledger, momentOf(target, paused), journal)
    await restored.destroy()
  })
  await step('And to just before its end', async () => {
    const target = { kind: 'time', time: window.to, inclusive: false } as const
    const { restored } = await recover(backup, { target })
    await expectLedgerAt(restored, ledger, { lsn: last.start, inclusive: false }, journal)
  })
})
