// /health answers 200, and the database behind it is in recovery, read-only, unreachable or empty.
//
// Goal:   an answer of 200 is no proof: an application that says so of a database that cannot serve makes the drill fail, and so
//         does one whose database serves and has lost its rows. No alarm of the archive rings for any of it.
// Method: start the application on a restored server, and one that always answers 200 beside it. In each state the first must say
//         503 and why, and the second must be found out by a look at the database; between them both are healthy.

import { ALWAYS_HEALTHY_API } from '../../fixtures/dispatch/lying-api.ts'
import { EMPTIED_TABLES } from '../../fixtures/dispatch/rows.ts'
import { test } from '../../fixtures/drill.ts'
import { expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectHealth, expectTrafficFlows } from '../../fixtures/expectations/application.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { makeReadOnly } from '../../helpers/faults/server-faults.ts'

test('an application that calls itself healthy is not believed before its database is', {
  meta: { id: 'N16', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, takeBackup, database, traffic, ledger, recover, journal, step }) => {
  const backup = await step('Take a base backup', async () => {
    await traffic.append(20)
    return await takeBackup()
  })
  const target = await step('Serve on, up to the target and beyond', async () => {
    await traffic.append(20)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(10)
    await archive.waitFor(await primary.switchWal(), primary)
    return target
  })
  const watch = watchArchive(primary, archive, { backup, target })
  const { restored, application, lying } = await step(
    'Recover up to the target, with the application and one that always answers 200',
    async () => {
      const { restored } = await recover(backup, { target })
      const [application, lying] = await Promise.all([
        database.on(restored),
        database.behind(ALWAYS_HEALTHY_API).on(restored),
      ])
      return { restored, application, lying }
    },
  )
  const faults = {
    recovering: '/health answers 200 in recovery',
    'read-only': '/health answers 200, database read-only',
    unreachable: '/health answers 200, database unreachable',
    empty: '/health answers 200, database empty',
  } as const
  const expectFoundOut = async (state: keyof typeof faults, says: RegExp) => {
    const sinceMs = performance.now()
    await expectHealth(application, state, journal)
    const lie = { kind: 'health-lies', message: new RegExp(`answered 200 while its database ${says.source}`) }
    await expectCaught(() => expectHealth(lying, 'ready', journal), lie, journal)
    await expectSignals(watch, faults[state], sinceMs, journal)
  }
  const expectHealthy = async () => {
    await expectHealth(application, 'ready', journal)
    await expectHealth(lying, 'ready', journal)
  }
  const expectLedger = () => expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)

  await step('In recovery: found out', () =>
    expectFoundOut('recovering', /was in recovery and could not be written to/),
  )
  await step('Promoted, it is healthy, with every row that was promised', async () => {
    await restored.promote()
    await expectHealthy()
    await expectLedger()
  })
  const repair = await step('Read-only: found out', async () => {
    const repair = await makeReadOnly(restored)
    await expectFoundOut('read-only', /took no writes: transactions are read-only/)
    return repair
  })
  await step('Written to again, it is healthy', async () => {
    await repair()
    await expectHealthy()
  })
  await step('Unreachable: found out', async () => {
    await restored.stop()
    await expectFoundOut('unreachable', /could not be reached/)
  })
  await step('Started again, it is healthy, and takes work that arrives in its database', async () => {
    await restored.start()
    await expectHealthy()
    await expectTrafficFlows(application, journal)
  })
  await step('Without its jobs it is healthy, and found out by the ledger', async () => {
    await using session = await application.session()
    await session.query(`TRUNCATE ${EMPTIED_TABLES.join(', ')}`)
    await expectHealthy()
    await expectCaught(
      expectLedger,
      { kind: 'rows-missing', message: /^\d+ rows promised at LSN \S+ exclusive missing/ },
      journal,
    )
    await expectQuiet(watch, journal)
  })
  await step('Empty: found out', async () => {
    await using session = await application.session()
    await session.query('TRUNCATE drivers CASCADE')
    await expectFoundOut('empty', /was empty: there are no drivers/)
  })
})
