// The runbook's section 2: is the archive whole, from the oldest usable base backup to now?
//
// Goal:   an archive with two timelines in it is found whole, with its histories, those of base backups and partial segments
//         told apart; a segment or a history that is lost is named before anybody needs it.
// Method: archive traffic behind a base backup, have the primary recover from its own archive, which starts a new timeline, and
//         archive on that; look, take something away, look again.
import { test } from '../../fixtures/drill.ts'
import { expectFailures, expectSeen, lookAt } from '../../fixtures/preflight.ts'
import { takeHistory, takeSegment } from '../../helpers/faults/archive-faults.ts'

test('an archive is whole from the oldest usable base backup to now, across timelines', {
  meta: { id: 'R4', runbook: '2' },
  tags: ['nightly', 'readiness'],
}, async ({ primary, archive, traffic, takeBackup, commands, journal, step }) => {
  await step('Serve traffic around a base backup', async () => {
    await traffic.append(20)
    await takeBackup()
    await traffic.append(20)
  })
  const lost = await step('Fill two segments', async () => {
    const first = await primary.switchWal()
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
    return first
  })
  await step('Recover on a new timeline, and archive on it', async () => {
    await traffic.append(20)
    await primary.stop()
    await primary.configure({ restore_command: commands.restoreFrom(archive), recovery_target_timeline: 'latest' })
    await primary.data.write('recovery.signal', '')
    await primary.start()
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
  })
  await step('It is whole, and what lies in it is told apart', async () => {
    const report = await lookAt(primary, archive)
    expectFailures(report, {}, journal)
    expectSeen(report, 'archive-continuity', /^from the base backup 'drill .*' at .* on timeline 2/, journal)
    expectSeen(report, 'archive-contents', /^1 histories of timelines, 1 of base backups, 1 partial/, journal)
  })
  await step('A segment that is lost is named', async () => {
    const putBack = await takeSegment(archive, lost)
    const report = await lookAt(primary, archive)
    expectFailures(
      report,
      { 'archive-continuity': new RegExp(`missing ${lost}`), 'recovery-window': new RegExp(`ends at ${lost.start}`) },
      journal,
    )
    await putBack()
  })
  await step('So is the history of the timeline', async () => {
    const putBack = await takeHistory(archive, 2)
    const report = await lookAt(primary, archive)
    expectFailures(report, { 'archive-continuity': /missing 00000002\.history/, 'recovery-window': /ends at/ }, journal)
    await putBack()
  })
  await step('Put back, it is whole again', async () => expectFailures(await lookAt(primary, archive), {}, journal))
})
