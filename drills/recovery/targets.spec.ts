// Each kind of recovery target, inclusive and not, from one backup and one archive.
//
// Goal:   whatever an operator knows of the moment (an LSN, a time on any clock, a transaction, a name, or only that the
//         backup was good), recovery brings back exactly the rows of that moment.
// Method: make one commit alone, of which record, time and xid are known exactly, and other targets around it; then delete
//         everything, so that nothing is left where recovery goes too far. Lose the primary, recover to each target on a
//         fresh server; compare with the ledger while replay is paused, then promote.
import { test } from '../../fixtures/drill.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { Lsn } from '../../helpers/postgres/lsn.ts'
import { readCommitRecord } from '../../helpers/recovery/commit-record.ts'
import { momentOf } from '../../helpers/recovery/moment.ts'
import { describeTarget, type RecoveryTarget } from '../../helpers/recovery/recovery-target.ts'
import type { Moment } from '../../helpers/workload/ledger.ts'

test.override('primarySettings', { track_commit_timestamp: true })

interface Case {
  target: Exclude<RecoveryTarget, { kind: 'latest' }>
  /** Where it is known more exactly than the target says. */
  moment?: Moment
}

test('recovery to each kind of target brings back the rows of that moment', {
  meta: { id: 'P2', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, takeBackup, traffic, ledger, losePrimary, recover, journal, step, each }) => {
  await step('Serve traffic', () => traffic.append(50))
  traffic.start()
  const backup = await step('Take a base backup while it flows', () => takeBackup())
  await traffic.stop()

  const around = await step(
    'Serve traffic on both sides of a restore point, a time and a segment boundary',
    async () => {
      await traffic.append(20)
      const [row] = await primary.query("SELECT pg_create_restore_point('before-the-release') AS lsn")
      const restorePoint = Lsn.parse(row?.lsn ?? '')
      await traffic.append(20)
      const [clock = {}] = await primary.query(
        `SELECT to_char(now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '+00:00' AS utc,
              (now AT TIME ZONE 'Asia/Kathmandu')::text || '+05:45' AS elsewhere
       FROM clock_timestamp() AS now`,
      )
      await traffic.append(20)
      const boundary = (await primary.switchWal()).end
      await traffic.append(20)
      return { restorePoint, clock, boundary }
    },
  )

  const alone = await step('Make one commit alone, and read its record', async () => {
    await primary.query('CREATE EXTENSION pg_walinspect')
    await traffic.append(1)
    const commit = ledger.commits.at(-1)
    if (commit?.xid === undefined) throw new Error('the ledger has no commit with an xid')
    await using session = await primary.session()
    const record = await readCommitRecord(session, commit)
    journal.observe({ xid: commit.xid, start: String(record.start), end: String(record.end), time: record.time })
    return { ...record, xid: commit.xid }
  })
  await step('Serve traffic after it, then delete everything', async () => {
    await traffic.append(20)
    await traffic.deleteEverything()
    await traffic.append(5)
  })
  await step('Lose the primary', losePrimary)

  const { restorePoint, clock, boundary } = around
  const { xid, start, end, time } = alone
  const cases: Case[] = [
    // As the backup says, and not as the server that is judged.
    { target: { kind: 'immediate' }, moment: { lsn: backup.stopLsn, inclusive: false } },
    { target: { kind: 'name', name: 'before-the-release' } },
    { target: { kind: 'time', time: clock.utc ?? '', inclusive: true } },
    { target: { kind: 'time', time: clock.elsewhere ?? '', inclusive: false } },
    { target: { kind: 'lsn', lsn: boundary, inclusive: true } },
    { target: { kind: 'lsn', lsn: boundary, inclusive: false } },
    // The end of one record is where the next one starts.
    { target: { kind: 'lsn', lsn: end, inclusive: false }, moment: { xid, inclusive: true } },
    ...[true, false].flatMap((inclusive): Case[] =>
      [
        { kind: 'lsn' as const, lsn: start, inclusive },
        { kind: 'time' as const, time, inclusive },
        { kind: 'xid' as const, xid, inclusive },
      ].map(target => ({ target, moment: { xid, inclusive } })),
    ),
  ]
  await each(
    cases,
    ({ target }) => `Recover to ${describeTarget(target)}`,
    async ({ target, moment }) => {
      const { restored, paused } = await recover(backup, { target })
      const expected = moment ?? momentOf(target, paused, restorePoint)
      await expectLedgerAt(restored, ledger, expected, journal)
      await restored.promote()
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectLedgerAt(restored, ledger, expected, journal)
      await restored.destroy()
    },
  )
})
