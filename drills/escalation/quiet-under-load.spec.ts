// Ten minutes of all that a healthy primary does, and nothing is wrong.
//
// Goal:   an alarm that rings without a fault is one that nobody heeds when there is one: no detector finds anything.
// Method: traffic through the application, bulk loads, WAL switches, checkpoints, vacuum and base backups, for ten minutes, with all
//         detectors looking once a second; then recover from the last backup to the end, under watch, since the quiet has to be right, too.
import { test } from '../../fixtures/drill.ts'
import { expectNotOneSignal } from '../../fixtures/escalation/quiet.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectQuiet } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredToEnd } from '../../fixtures/expectations/recovered.ts'
import { loadHealthily } from '../../fixtures/healthy-load.ts'

const SECONDS = 600
/** Of the watch of the recovery: longer than a busy machine takes to fetch a segment. */
const WINDOW_SECONDS = 4

test('a healthy stack under load raises not one signal', {
  meta: { id: 'S2', runbook: '4' },
  tags: ['soak', 'escalation'],
  timeout: 1_200_000,
}, async ({ primary, archive, takeBackup, dispatch, traffic, ledger, launch, journal, step }) => {
  const { backup, target } = await step('Take a base backup, and serve traffic', async () => {
    const backup = await takeBackup()
    await traffic.append(50)
    const target = { lsn: await primary.lsn('insert') }
    await traffic.append(50)
    await archive.waitFor(await primary.switchWal(), primary)
    return { backup, target }
  })
  const watch = watchArchive(primary, archive, { backup, target })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { backups, last } = await step('Ten minutes of load, and not one signal', async () => {
    const load = (goOn: () => boolean) => loadHealthily({ primary, archive, traffic, takeBackup }, goOn)
    const done = await expectNotOneSignal(watch, SECONDS, load, journal)
    const { deeds, segments, slowestArchivingSeconds } = done
    journal.observe({
      deeds,
      segments,
      backups: done.backups.length,
      slowestArchivingSeconds,
      commits: ledger.commits.length,
    })
    return done
  })
  await step('Lose the primary', async () => {
    await dispatch.destroy()
    await primary.destroy()
  })
  await step('Recovery from the last backup stalls nowhere, and brings back every commit', async () => {
    const newest = backups.at(-1) ?? backup
    const watch = watchArchive(undefined, archive, { backup: newest, target: { lsn: last.start } }, WINDOW_SECONDS)
    const restored = await launch(newest, { target: { kind: 'latest' }, watch })
    const recovered = expectRecoveredToEnd(restored, last, { timeline: newest.timeline + 1, ledger }, journal)
    await expectNoStall(watch, recovered, journal)
    await expectQuiet(watch, journal)
  })
})
