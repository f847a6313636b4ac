// Recovery from a full backup and two incremental ones, against one from a plain full backup.
//
// Goal:   what pg_combinebackup makes of a chain is as good as a full backup: recovered to the same LSN, both servers hold the
//         same, table by table, and what the ledger promises.
// Method: take a full backup and two incremental ones with commits between them, and a plain one; lose the primary; recover
//         from each to one target.

import { DATABASE } from '../../fixtures/dispatch/dispatch.ts'
import { test } from '../../fixtures/drill.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt, expectSameTables } from '../../fixtures/expectations/rows.ts'
import { BackupChain } from '../../helpers/backup/incremental-backup.ts'
import { readTables, type TableStates } from '../../helpers/readiness/table-state.ts'

test.override('primarySettings', { summarize_wal: true })

test('recovery from incremental backups brings back what a plain one does', {
  meta: { id: 'P11', runbook: '3', needs: ['clientPrograms'], since: 17 },
  tags: ['nightly', 'recovery'],
}, async ({ primary, backups, takeBackup, traffic, ledger, losePrimary, recover, journal, step, each }) => {
  const chain = new BackupChain(primary, backups)
  await step('Take a full backup', async () => {
    await traffic.bulk(5_000)
    await chain.take()
  })
  await step('Take two incremental backups, with commits before each', async () => {
    for (const _ of [1, 2]) {
      await traffic.append(40)
      await chain.take()
    }
  })
  const combined = await step('Combine the three, and verify what comes of it', async () => {
    const combined = await chain.combine()
    journal.observe({ startLsn: combined.startLsn.toString(), stopLsn: combined.stopLsn.toString() })
    return combined
  })
  const plain = await step('Take a plain full backup', () => takeBackup())
  const target = await step('Commit on both sides of the target', async () => {
    await traffic.append(40)
    const lsn = await primary.lsn('insert')
    await traffic.append(40)
    return { kind: 'lsn', lsn, inclusive: false } as const
  })
  await step('Lose the primary', losePrimary)
  const tables = new Map<typeof plain, TableStates>()
  await each(
    [combined, plain],
    backup => `Recover from the ${backup === plain ? 'plain' : 'combined'} backup`,
    async backup => {
      const { restored } = await recover(backup, { target })
      await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
      {
        await using session = await restored.session(DATABASE)
        tables.set(backup, await readTables(session))
      }
      await restored.promote()
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
      await restored.destroy()
    },
  )
  await step('Both servers held the same', () => expectSameTables(tables.get(combined), tables.get(plain), journal))
})
