// The runbook's section 2: LSNs and archive listing, captured in one snapshot.
//
// Goal:   a snapshot says by itself whether the archive covers its LSN, and where it does not, by how much it lags behind.
// Method: take a snapshot behind commits that are not archived; archive their segment, and hold the snapshot's LSN against the
//         archive again. An archiver that fails lets the lag grow, until it counts as far behind.
import { test } from '../../fixtures/drill.ts'
import { expectCovered, expectFailures, expectLagStated, lookAt } from '../../fixtures/preflight.ts'
import { breakArchiveCommand, failWith } from '../../helpers/faults/archive-command-faults.ts'

test('a snapshot says how far the archive is behind it, and is covered once its segment is archived', {
  meta: { id: 'R3', runbook: '2' },
  tags: ['nightly', 'readiness'],
}, async ({ primary, archive, traffic, takeBackup, snapshot, commands, journal, step }) => {
  await step('Take a base backup', () => takeBackup())
  const taken = await step('Serve traffic, and take a snapshot', async () => {
    await traffic.append(50)
    return await snapshot()
  })
  await step('It states the lag, in segments and bytes', () => expectLagStated(taken, journal))
  await step('Archive its segment', async () => archive.waitFor(await primary.switchWal(), primary))
  await step('Its LSN is covered', () => expectCovered(taken, archive, journal))
  await step('A look before maintenance is a go', async () =>
    expectFailures(await lookAt(primary, archive), {}, journal),
  )

  const repair = await step('Let the archive_command fail, and fill segments', async () => {
    const repair = await breakArchiveCommand(primary, commands.archiveTo(archive), failWith(1))
    for (let segment = 0; segment < 2; segment++) {
      await traffic.append(10)
      await primary.switchWal()
    }
    return repair
  })
  await step('A look finds the archive far behind, and the archiver as the cause', async () => {
    await primary.waitForLog('the archive_command to fail', /archive command failed/, 'segmentArchived')
    expectFailures(
      await lookAt(primary, archive, { maxLagSeconds: 0 }),
      { 'archive-lag': /segments wait, the oldest, 0000.* far behind/s, archiver: /command-failing/ },
      journal,
    )
  })
  await step('Repaired, it is a go again', async () => {
    await repair()
    await archive.waitFor(await primary.switchWal(), primary)
    expectFailures(await lookAt(primary, archive), {}, journal)
  })
})
