// To the end of the archive: what is lost with a primary is what it had not archived.
//
// Goal:   recovery without a target brings back every archived commit, ends nowhere before the archive does, and the loss is
//         measured: which acknowledged commits are gone, how many bytes of WAL, how many seconds.
// Method: under load, wait until archive_timeout has had a segment archived; kill the primary and lose its disk; recover to
//         the end of the archive; compare with the ledger at the last byte that was archived.
import { test } from '../../fixtures/drill.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectObjectives, expectPromise, measureRpo } from '../../fixtures/expectations/objectives.ts'
import { expectIsolated, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import { untilReachedEnd } from '../../helpers/recovery/archive-end.ts'

const ARCHIVE_TIMEOUT_SECONDS = 1

test.override('primarySettings', { archive_timeout: ARCHIVE_TIMEOUT_SECONDS })

test('recovery to the end of the archive loses the unarchived tail and nothing else', {
  meta: { id: 'P4', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, archive, takeBackup, traffic, ledger, launch, config, runtime, journal, step }) => {
  const backup = await step('Take a base backup', () => takeBackup())
  const { segmentSizeBytes } = archive
  await step('Say what the configuration promises', () =>
    expectPromise({ archiveTimeoutSeconds: ARCHIVE_TIMEOUT_SECONDS, segmentSizeBytes }, config, journal),
  )
  await step('Serve traffic until archive_timeout has had a segment of it archived', async () => {
    traffic.start()
    await traffic.untilCommits(50)
    await archive.waitFor(WalSegment.endingAt(await primary.lsn('insert'), backup.timeline, segmentSizeBytes), primary)
    await traffic.untilCommits(20)
  })
  const { last, sealed } = await step('Lose the primary and its disk under load', async () => {
    await primary.kill()
    await traffic.stop()
    await primary.destroy()
    const newest = (await archive.list()).newest(backup.timeline)
    if (!newest) throw new Error('the archive has no segment')
    journal.observe({ lastArchived: newest.name })
    return { last: newest, sealed: await archive.fingerprint() }
  })
  const restored = await step('Recover to the end of the archive', async () => {
    const server = await launch(backup, { target: { kind: 'latest' } })
    const { redoDone } = await untilReachedEnd(server, last)
    journal.prove(`recovery promoted at the end of the archive: ${last} is the last it read, redo done at ${redoDone}`)
    return server
  })
  await step('It is isolated, and the archive as it was', async () => {
    await expectIsolated(restored, journal)
    await expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal)
  })
  await step('Compare with the ledger, and measure what is lost', async () => {
    await expectTimeline(restored, backup.timeline + 1, journal)
    const comparison = await expectLedgerAt(restored, ledger, { lsn: last.end, inclusive: false }, journal)
    expectObjectives({ rpo: measureRpo(comparison, { ledger, recoveredTo: last.end }, config) }, journal)
  })
})
