// A primary lost with its last segments unarchived, without and with what its pg_wal still holds.
//
// Goal:   without its pg_wal, what was acknowledged and not archived is lost, and nothing else; with it, nothing is.
// Method: with no archive_timeout, kill the primary under load. Recover from the archive alone and measure the loss; save the
//         segments that the archive lacks out of the dead server's pg_wal, recover again and find every commit.
import { test } from '../../fixtures/drill.ts'
import { expectObjectives, measureRpo } from '../../fixtures/expectations/objectives.ts'
import { expectIsolated, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { Failure } from '../../helpers/failure.ts'
import type { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { untilReachedEnd } from '../../helpers/recovery/archive-end.ts'
import { promisedLoss } from '../../helpers/recovery/promised-loss.ts'
import { findUnarchived } from '../../helpers/recovery/salvage.ts'
import { archiveByHand } from '../../helpers/recovery/wal-commands.ts'

test.override('primarySettings', { archive_timeout: 0 })

test('what a lost primary had not archived is lost, unless its pg_wal is saved', {
  meta: { id: 'P5', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, archive, commands, takeBackup, traffic, ledger, launch, journal, step }) => {
  const backup = await step('Take a base backup', () => takeBackup())
  const { segmentSizeBytes } = archive
  const [cluster] = await primary.query('SELECT system_identifier::text AS id FROM pg_control_system()')
  await step('Serve traffic on both sides of the last archived segment', async () => {
    traffic.start()
    await traffic.untilCommits(50)
    await archive.waitFor(await primary.switchWal(), primary)
    await traffic.untilCommits(50)
  })
  const archived = await step('Kill the primary under load', async () => {
    await primary.kill()
    await traffic.stop()
    const newest = (await archive.list()).newest(backup.timeline)
    if (!newest) throw new Error('the archive has no segment')
    journal.observe({ lastArchived: newest.name })
    return newest
  })
  const recoverTo = async (last: WalSegment) => {
    const server = await launch(backup, { target: { kind: 'latest' } })
    await untilReachedEnd(server, last)
    await expectTimeline(server, backup.timeline + 1, journal)
    await expectIsolated(server, journal)
    return server
  }
  await step('Recover without its pg_wal, and measure the loss', async () => {
    const server = await recoverTo(archived)
    const comparison = await expectLedgerAt(server, ledger, { lsn: archived.end, inclusive: false }, journal)
    // This case shows what is lost without a bound in time: the user's objective is not held against it.
    const rpo = measureRpo(comparison, { ledger, recoveredTo: archived.end }, {})
    expectObjectives({ rpo }, journal)
    journal.observe({ promise: promisedLoss({ archiveTimeoutSeconds: 0, segmentSizeBytes }).sentence })
    if (rpo.discardedCommits === 0)
      throw new Failure('nothing-lost', 'no acknowledged commit was lost with the primary: nothing was shown')
    await server.destroy()
  })
  const saved = await step('Save what the archive lacks out of the dead primary, and lose its disk', async () => {
    const segments = await findUnarchived(primary, { systemIdentifier: cluster?.id ?? '', last: archived })
    const names = segments.map(({ name }) => name)
    await archiveByHand(primary, names, commands.archiveTo(archive))
    journal.observe({ saved: names })
    await primary.destroy()
    return segments
  })
  await step('Recover with it, and find every acknowledged commit', async () => {
    const last = saved.at(-1)
    if (!last) throw new Failure('nothing-saved', 'pg_wal of the dead primary has no segment that the archive lacks')
    const server = await recoverTo(last)
    const { discarded } = await expectLedgerAt(server, ledger, { latest: { archivedUpTo: last.end } }, journal)
    if (discarded.length > 0)
      throw new Failure('commits-lost', `${discarded.length} acknowledged commits are lost although pg_wal was saved`)
    journal.prove('with the saved segments, no acknowledged commit is lost')
  })
})
