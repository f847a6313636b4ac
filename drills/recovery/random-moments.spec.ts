// Moments drawn at random, of a workload whose transactions run side by side.
//
// Goal:   point-in-time recovery brings back exactly the moment that was asked for, whichever it is: every row, table, column
//         and index of the transactions that had ended by then, and nothing of those that had not, or were rolled back.
// Method: writers and an operator work side by side, before, during and after a base backup, and the ledger keeps where each
//         transaction ended; lose the primary; recover to moments drawn from a seed, each on a fresh server, and compare
//         with the ledger while replay is paused and after promotion.
import { randomInt } from 'node:crypto'
import { test } from '../../fixtures/drill.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { Moments } from '../../fixtures/workload/moments.ts'
import { Workload } from '../../fixtures/workload/workload.ts'
import { loadConfig } from '../../helpers/config.ts'
import { momentOf } from '../../helpers/recovery/moment.ts'
import { drawMoments, targetOf } from '../../helpers/recovery/random-target.ts'
import { describeTarget } from '../../helpers/recovery/recovery-target.ts'

const { moments: count, seed = randomInt(2 ** 32) } = loadConfig()

/** For what comes before the moments, and for each of them: as many as the user asks for. */
const TIMEOUT_MS = 60_000 + count * 3_000

// Some transactions end in two phases.
test.override('primarySettings', { max_prepared_transactions: 8 })

test('recovery to random moments of a concurrent workload brings back those very moments', {
  meta: { id: 'P10', runbook: '3' },
  tags: ['nightly', 'recovery'],
  timeout: TIMEOUT_MS,
}, async ({ cleanup, primary, takeBackup, ledger, losePrimary, recover, journal, step, each, longStep }) => {
  const workload = new Workload({ primary, ledger, seed })
  cleanup.add('the workload', () => workload.stop())
  await step(`Begin a concurrent workload, drawn from the seed ${seed}`, () => workload.start())
  const backup = await step('Take a base backup while it runs', () => takeBackup())
  const range = await step('Load, truncate, change tables and maintain them while it runs', async () => {
    const range = await workload.finish()
    journal.observe({ committed: range.committed.length, aborted: range.aborted.length, ...workload.kinds })
    return range
  })
  await step('Lose the primary', losePrimary)

  const moments = new Moments(ledger, seed, journal)
  const startedAtMs = performance.now()
  using bar = longStep({ what: 'moments', unit: 'moments', of: count })
  let done = 0
  await each(
    drawMoments(seed, count).map(drawn => ({ drawn, target: targetOf(drawn, range) })),
    ({ drawn, target }) => `Recover to moment ${drawn.number} of ${count}: ${describeTarget(target)}`,
    ({ drawn, target }) =>
      moments.judged(drawn, async () => {
        const { restored, paused } = await recover(backup, { target })
        await moments.expectAt(restored, momentOf(target, paused), async () => {
          await restored.promote()
          await expectTimeline(restored, backup.timeline + 1, journal)
        })
        await restored.destroy()
        bar.reach({ done: ++done })
      }),
  )
  await step('Almost all of it was decided', () => moments.expectDecided((performance.now() - startedAtMs) / 1000))
})
