// What stands on a server beside the rows of its tables.
//
// Goal:   a recovery brings back tablespaces, to new places, and leaves the original's folder alone; large objects, roles and
//         grants, extensions, a second database; sequences that repeat nothing; unlogged tables, empty, and says so.
// Method: give the primary some of each, before the backup and after it; take an inventory at the target; take it all away
//         again after the target; recover, and compare.
import { DATABASE } from '../../fixtures/dispatch/dispatch.ts'
import { test } from '../../fixtures/drill.ts'
import { expectTrafficFlows } from '../../fixtures/expectations/application.ts'
import {
  expectFolderUntouched,
  expectInventory,
  expectSound,
  expectTablespaceMoved,
  expectUnloggedEmptied,
} from '../../fixtures/expectations/checks.ts'
import { expectLedgerAt, expectSameTables } from '../../fixtures/expectations/rows.ts'
import { readTables } from '../../helpers/readiness/table-state.ts'
import { takeInventory } from '../../helpers/recovery/checks/inventory.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

const drill = test.override('primaryVolumes', async ({ runtime, manage }) => {
  const disk = manage.volume(runtime.volume('fast-disk'))
  await disk.create()
  return [disk]
})

drill(
  'recovery brings back all that is no row: tablespaces, roles, large objects, and the like',
  {
    meta: { id: 'P8', runbook: '3' },
    tags: ['nightly', 'recovery'],
  },
  async ({ primary, primaryVolumes, database, takeBackup, traffic, ledger, losePrimary, recover, journal, step }) => {
    const [disk] = primaryVolumes
    if (!disk) throw new Error('the primary has no second disk')
    const asOperator = async (sql: string) => {
      await using session = await database.session()
      await session.query(sql)
    }
    await step('Give the primary some of everything', async () => {
      await primary.exec(`mkdir '${disk.path}/fast'`)
      await primary.query(`CREATE TABLESPACE fast LOCATION '${disk.path}/fast'`)
      await primary.query('CREATE DATABASE billing')
      await asOperator(BEFORE_THE_BACKUP)
      await traffic.append(40)
    })
    const backup = await step('Take a base backup', () => takeBackup())
    await step('And some more after it', async () => {
      await asOperator(AFTER_THE_BACKUP)
      await traffic.append(40)
    })
    const tablesOf = async (server: PostgresNode) => {
      await using session = await server.session(DATABASE)
      return await readTables(session)
    }
    const { inventory, tables, target } = await step('Take an inventory, and note the target', async () => {
      const inventory = await takeInventory(primary)
      const tables = await tablesOf(primary)
      const lsn = await primary.lsn('insert')
      journal.observe({ things: inventory.size, target: lsn.toString() })
      return { inventory, tables, target: { kind: 'lsn', lsn, inclusive: false } as const }
    })
    await step('The bad change: take it away', async () => {
      await asOperator(BAD_CHANGE)
      await traffic.append(40)
    })
    const original = await step('Lose the primary; the disk of its tablespace stays', async () => {
      await losePrimary()
      return await disk.hash()
    })

    const { restored } = await step('Recover, each tablespace to a place of its own', () => recover(backup, { target }))
    const moment = { lsn: target.lsn, inclusive: false } as const
    await step('Rows while paused, those in the tablespace too', () =>
      expectLedgerAt(restored, ledger, moment, journal),
    )
    await step('Promote', () => restored.promote())
    await step('Roles, grants, extensions, definitions, large objects: as at the target', () =>
      expectInventory(restored, inventory, journal),
    )
    await step('Every row of every table, in all its columns: as at the target', async () =>
      expectSameTables(tables, await tablesOf(restored), journal),
    )
    await step('The table lies in the new place', () =>
      expectTablespaceMoved(restored, { database: DATABASE, table: 'jobs' }, `${disk.path}/fast`, journal),
    )
    await step('The unlogged table is empty, and that is said', () =>
      expectUnloggedEmptied(restored, `${DATABASE}: public.positions`, journal),
    )
    await step('Every check is clean; the sequences are past their columns', () => expectSound(restored, journal))
    await step('Traffic flows again', () => expectTrafficFlows(database.at(restored), journal))
    await step("The original's folder is as it was, whatever was written since", async () => {
      await restored.query('CHECKPOINT')
      await expectFolderUntouched(disk, original, journal)
    })
  },
)

const BEFORE_THE_BACKUP = `
  ALTER TABLE jobs SET TABLESPACE fast;
  CREATE EXTENSION pg_trgm;
  CREATE INDEX jobs_customer ON jobs USING gin (customer gin_trgm_ops) TABLESPACE fast;
  CREATE UNLOGGED TABLE positions AS SELECT id AS driver, 'dock ' || id AS place FROM drivers;
  CREATE TABLE invoices (id bigserial PRIMARY KEY, amount integer NOT NULL);
  ALTER SEQUENCE invoices_id_seq CACHE 50;
  INSERT INTO invoices (amount) SELECT generate_series(1, 60);
  CREATE ROLE accounting NOLOGIN;
  CREATE ROLE ada LOGIN CONNECTION LIMIT 3 VALID UNTIL '2099-01-01' IN ROLE accounting;
  GRANT SELECT (id, amount), INSERT ON invoices TO accounting;
  SELECT lo_from_bytea(7001, decode(repeat('c0ffee', 20000), 'hex'));
  GRANT SELECT ON LARGE OBJECT 7001 TO accounting`

const AFTER_THE_BACKUP = `
  CREATE EXTENSION pgcrypto;
  CREATE SCHEMA audit AUTHORIZATION accounting;
  ALTER DEFAULT PRIVILEGES IN SCHEMA audit GRANT SELECT ON TABLES TO ada;
  CREATE FUNCTION audit.total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(amount) FROM public.invoices';
  REVOKE EXECUTE ON FUNCTION audit.total FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION audit.total TO ada;
  CREATE ROLE grace LOGIN IN ROLE accounting;
  GRANT USAGE ON SEQUENCE invoices_id_seq TO grace WITH GRANT OPTION;
  GRANT CREATE ON TABLESPACE fast TO grace;
  GRANT CONNECT ON DATABASE billing TO grace;
  ALTER ROLE ada IN DATABASE dispatch SET work_mem = '8MB';
  CREATE VIEW audit.large AS SELECT id FROM public.invoices WHERE amount > 50;
  ALTER TABLE invoices ADD CONSTRAINT invoices_amount CHECK (amount > 0);
  INSERT INTO invoices (amount) SELECT generate_series(1, 60);
  SELECT lo_from_bytea(7002, 'a contract');
  SELECT lo_put(7001, 30000, 'amended');
  INSERT INTO positions VALUES (99, 'door 1')`

const BAD_CHANGE = `
  SELECT lo_unlink(7002);
  SELECT lo_put(7001, 0, 'garbage');
  REVOKE ALL ON TABLESPACE fast FROM grace;
  REVOKE ALL ON DATABASE billing FROM grace;
  REVOKE ALL ON invoices_id_seq FROM grace;
  DROP ROLE grace;
  REVOKE INSERT ON invoices FROM accounting;
  ALTER ROLE ada SUPERUSER;
  DROP EXTENSION pg_trgm CASCADE;
  DROP EXTENSION pgcrypto;
  ALTER TABLE jobs SET TABLESPACE pg_default`
