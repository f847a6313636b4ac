// Each kind of recovery target, inclusive and not, from one backup and one archive.
//
// Goal:   whatever an operator knows of the moment (an LSN, a time, a transaction, a name, or only that the backup was good),
//         recovery brings back exactly the rows of that moment.
// Method: commit on both sides of every target, lose the primary, recover to each target on a fresh server; compare with
//         the ledger while replay is paused, then promote.
import { test } from '../../fixtures/drill.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { Lsn } from '../../helpers/postgres/lsn.ts'
import { momentOf } from '../../helpers/recovery/moment.ts'
import { describeTarget } from '../../helpers/recovery/recovery-target.ts'

test('recovery to each kind of target brings back the rows of that moment', {
  meta: { id: 'P2', runbook: '3', controls: ['A.8.13', 'CP-10(2)'] },
  tags: ['nightly', 'recovery'],
}, async ({ primary, takeBackup, traffic, ledger, losePrimary, recover, journal, step, each }) => {
  await step('Serve traffic before the backup', () => traffic.append(50))
  const backup = await step('Take a base backup', () => takeBackup())
  const { targets, restorePoint } = await step('Serve traffic on both sides of every target', async () => {
    await traffic.append(40)
    const lsn = await primary.lsn('insert')
    await traffic.append(40)
    const [row] = await primary.query("SELECT pg_create_restore_point('before-the-release') AS lsn")
    const restorePoint = Lsn.parse(row?.lsn ?? '')
    const [clock] = await primary.query("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::text || '+00' AS time")
    const time = clock?.time ?? ''
    await traffic.append(40)
    const xid = ledger.commits.at(-1)?.xid ?? ''
    await traffic.append(40)
    const either = [true, false]
    return {
      restorePoint,
      targets: [
        { kind: 'immediate' as const },
        { kind: 'name' as const, name: 'before-the-release' },
        ...either.map(inclusive => ({ kind: 'lsn' as const, lsn, inclusive })),
        ...either.map(inclusive => ({ kind: 'time' as const, time, inclusive })),
        ...either.map(inclusive => ({ kind: 'xid' as const, xid, inclusive })),
      ],
    }
  })
  await step('Lose the primary', losePrimary)
  await each(
    targets,
    target => `Recover to ${describeTarget(target)}`,
    async target => {
      const { restored, paused } = await recover(backup, { target })
      await expectLedgerAt(restored, ledger, momentOf(target, paused, restorePoint), journal)
      await restored.promote()
      await expectTimeline(restored, backup.timeline + 1, journal)
      await restored.destroy()
    },
  )
})
