// What a recovered server is put through before anybody relies on it.
//
// Goal:   after a recovery every check is clean: data checksums, amcheck, indexes, collation versions, extensions, sequences,
//         unlogged tables, prepared transactions; and each finds the damage that it is there for.
// Method: recover the application from a backup taken under traffic, promote, start anew so that every page is read from
//         disk, check; then damage that server in each of these ways, and check again.
import { DATABASE } from '../../fixtures/dispatch/dispatch.ts'
import { test } from '../../fixtures/drill.ts'
import { expectDamagesFound, expectSound } from '../../fixtures/expectations/checks.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { fileOf, flipBit, loseWritesOf } from '../../helpers/faults/server-faults.ts'

const drill = test.override('primarySettings', { max_prepared_transactions: 1 })

drill(
  'a recovered server is sound, and what is not would be found',
  {
    meta: { id: 'P16', runbook: '3' },
    tags: ['nightly', 'recovery'],
  },
  async ({ primary, takeBackup, traffic, ledger, losePrimary, recover, journal, step }) => {
    await step('Serve traffic', async () => {
      await traffic.bulk(5_000)
      traffic.start()
      await traffic.untilCommits(50)
    })
    const backup = await step('Take a base backup while it flows', () => takeBackup())
    const target = await step('Serve more, and note the target while it flows', async () => {
      await traffic.untilCommits(100)
      const lsn = await primary.lsn('insert')
      await traffic.untilCommits(20)
      await traffic.stop()
      return { kind: 'lsn', lsn, inclusive: false } as const
    })
    await step('Lose the primary', losePrimary)
    const restored = await step('Recover, compare the rows, promote', async () => {
      const { restored } = await recover(backup, { target })
      await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
      await restored.promote()
      return restored
    })
    await step('Start it anew: what memory holds is not read from disk', async () => {
      await restored.stop()
      await restored.start()
    })
    await step('Every check is clean', () => expectSound(restored, journal))

    await step('Damage it in every way that a check is there for', async () => {
      await using session = await restored.session(DATABASE)
      await session.query(DAMAGE)
      await session.query("BEGIN; INSERT INTO drivers (name) VALUES ('Zoe'); PREPARE TRANSACTION 'forgotten'")
      const hashIndex = await fileOf(restored, DATABASE, 'jobs_customer')
      await session.close()
      await loseWritesOf(restored, {
        database: DATABASE,
        index: 'jobs_reference_key',
        change: "INSERT INTO jobs (reference, customer, pickup, dropoff) VALUES ('late/1', 'c', 'p', 'd')",
      })
      await flipBit(restored, hashIndex)
      await restored.start()
      await restored.query("UPDATE pg_extension SET extversion = '0.0' WHERE extname = 'plpgsql'")
      await using late = await restored.session(DATABASE)
      await late.query("SELECT setval(pg_get_serial_sequence('jobs', 'id'), 1)")
    })
    await step('Each damage is found, and named', () =>
      expectDamagesFound(
        restored,
        {
          structure: /^dispatch: public\.jobs_reference_key: heap tuple .* lacks matching index tuple/,
          'data checksums': /^dispatch: public\.jobs_customer: invalid page in block 0 of relation/,
          'invalid indexes': /^dispatch: public\.jobs_waiting$/,
          'collation versions':
            /^dispatch: collation public\.german \(public\.jobs_pickup\) was recorded with version 0\.0, and is \S+ here$/,
          extensions: /^postgres: plpgsql 0\.0 has no script here$/,
          sequences: /^dispatch: public\.jobs_id_seq is at 1, and public\.jobs\.id at \d+$/,
          'unlogged tables': /^dispatch: public\.positions has rows$/,
          'prepared transactions': /^dispatch: forgotten of postgres, prepared at .* UTC$/,
        },
        journal,
      ),
    )
  },
)

/** What SQL can do; amcheck looks at no hash index, so that the damage to one is for the checksums to find. */
const DAMAGE = `
  CREATE INDEX jobs_customer ON jobs USING hash (customer);
  CREATE COLLATION german (provider = icu, locale = 'de');
  CREATE INDEX jobs_pickup ON jobs (pickup COLLATE german);
  UPDATE pg_collation SET collversion = '0.0' WHERE collname = 'german';
  UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'jobs_waiting'::regclass;
  CREATE UNLOGGED TABLE positions AS SELECT 1 AS driver`
