// Prepared transactions that are open at the recovery target.
//
// Goal:   what a transaction manager prepared before the target and had not ended by then is open again after recovery, and
//         can be committed or rolled back; what was ended before is as it was ended, and nothing later is there.
// Method: prepare before the backup, before the target and after it; end some before the target and some after; recover to
//         the target, look at what is open, and end it.
import { commitPrepared, prepareJobs } from '../../fixtures/dispatch/prepared.ts'
import { test } from '../../fixtures/drill.ts'
import { expectPrepared } from '../../fixtures/expectations/checks.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { Ledger } from '../../helpers/workload/ledger.ts'

const drill = test.override('primarySettings', { max_prepared_transactions: 10 })

drill(
  'prepared transactions survive recovery, and can be ended after it',
  {
    meta: { id: 'P7', runbook: '3' },
    tags: ['nightly', 'recovery'],
  },
  async ({ primary, takeBackup, database, traffic, ledger, losePrimary, recover, journal, step }) => {
    await step('Serve traffic, and prepare transactions before the backup', async () => {
      await traffic.append(20)
      await using session = await database.session()
      for (const gid of ['old-committed', 'old-rolled-back', 'old-open']) await prepareJobs(session, gid)
    })
    const backup = await step('Take a base backup', () => takeBackup())
    await step('Prepare more; end some', async () => {
      await traffic.append(20)
      await using session = await database.session()
      for (const gid of ['new-committed', 'new-open', 'committed-later', 'rolled-back-later'])
        await prepareJobs(session, gid)
      for (const gid of ['old-committed', 'new-committed']) await commitPrepared(session, ledger, gid)
      await session.query("ROLLBACK PREPARED 'old-rolled-back'")
    })
    const target = await step('Note the target', async () => {
      const lsn = await primary.lsn('insert')
      journal.observe({ target: lsn.toString() })
      return { kind: 'lsn', lsn, inclusive: false } as const
    })
    await step('End some after the target, and prepare another', async () => {
      await using session = await database.session()
      await commitPrepared(session, ledger, 'committed-later')
      await session.query("ROLLBACK PREPARED 'rolled-back-later'")
      await prepareJobs(session, 'prepared-later')
      await traffic.append(20)
    })
    await step('Lose the primary', losePrimary)

    const { restored } = await step('Recover to the target', () => recover(backup, { target }))
    const moment = { lsn: target.lsn, inclusive: false } as const
    await step('Rows while paused: only of what was committed', () => expectLedgerAt(restored, ledger, moment, journal))
    await step('Promote: open is what was open at the target', async () => {
      await restored.promote()
      await expectPrepared(restored, ['committed-later', 'new-open', 'old-open', 'rolled-back-later'], journal)
    })
    await step('Commit some and roll back the others', async () => {
      // What this server promises from here on: what it recovered, and what is committed now.
      const afterwards = new Ledger()
      for (const commit of ledger.at(moment).commits.must) afterwards.sending(commit)
      await using session = await database.at(restored).session()
      for (const gid of ['old-open', 'committed-later']) await commitPrepared(session, afterwards, gid)
      for (const gid of ['new-open', 'rolled-back-later']) await session.query(`ROLLBACK PREPARED '${gid}'`)
      await expectPrepared(restored, [], journal)
      await expectLedgerAt(restored, afterwards, { lsn: await restored.lsn('insert'), inclusive: false }, journal)
    })
  },
)
