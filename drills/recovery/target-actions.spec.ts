// What a server does once recovery has come to its target: pause, promote or shut down, and how one goes on from there.
//
// Goal:   each recovery_target_action leaves the server in the state and on the timeline that PostgreSQL documents, and
//         with the rows of the target; a target that proves too early can be corrected as long as nobody has promoted.
// Method: recover one backup to one target in every way there is, and go on from there as an operator would.
import { test } from '../../fixtures/drill.ts'
import {
  expectIsolated,
  expectPausedAt,
  expectPromotedAt,
  expectReadOnly,
  expectShutDownAt,
  expectTimeline,
} from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { targetSettings } from '../../helpers/recovery/recovery-target.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

test('each action at the target leaves the server as documented', {
  meta: { id: 'P3', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, takeBackup, traffic, ledger, losePrimary, restore, recover, journal, step, each }) => {
  const backup = await step('Take a base backup', async () => {
    await traffic.append(30)
    return await takeBackup()
  })
  const { tooEarly, target } = await step('Serve traffic up to the target, delete everything after it', async () => {
    const noteTarget = async () => ({ kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false }) as const
    await traffic.append(20)
    const tooEarly = await noteTarget()
    await traffic.append(20)
    const target = await noteTarget()
    await traffic.deleteEverything()
    await traffic.append(5)
    return { tooEarly, target }
  })
  await step('Lose the primary', losePrimary)

  const expectRows = (restored: PostgresNode, { lsn } = target) =>
    expectLedgerAt(restored, ledger, { lsn, inclusive: false }, journal)
  const expectPromoted = async (restored: PostgresNode) => {
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectRows(restored)
    await expectIsolated(restored, journal)
    await restored.destroy()
  }
  const goOn = async (restored: PostgresNode, action: 'pause' | 'promote' | 'shutdown', to = target) => {
    await restored.configure(targetSettings(to, action))
    await restored.launchServer()
  }

  const cases: Record<string, () => Promise<void>> = {
    'pause, then resume: it promotes': async () => {
      const { restored } = await recover(backup, { target })
      await expectReadOnly(restored, backup.timeline, journal)
      await expectRows(restored)
      await restored.promote()
      await expectPromoted(restored)
    },
    'pause, then promote while paused': async () => {
      const { restored } = await recover(backup, { target })
      await restored.query('SELECT pg_promote()')
      await expectPromotedAt(restored, target, journal)
      await expectPromoted(restored)
    },
    'pause, find the target too early, set a later one': async () => {
      const { restored } = await recover(backup, { target: tooEarly })
      await expectRows(restored, tooEarly)
      await restored.stop()
      await goOn(restored, 'pause')
      await expectPausedAt(restored, target, journal)
      await expectRows(restored)
      await restored.promote()
      await expectPromoted(restored)
    },
    promote: async () => {
      const restored = await restore(backup, { target, action: 'promote' })
      await restored.launchServer()
      await expectPromotedAt(restored, target, journal)
      await expectPromoted(restored)
    },
    'shut down, and again at the next start, then go on with another action': async () => {
      const restored = await restore(backup, { target, action: 'shutdown' })
      await restored.launchServer()
      await expectShutDownAt(restored, target, journal)
      await restored.launchServer()
      await expectShutDownAt(restored, target, journal)
      await goOn(restored, 'pause')
      await expectPausedAt(restored, target, journal)
      await expectReadOnly(restored, backup.timeline, journal)
      await expectRows(restored)
      await restored.stop()
      await goOn(restored, 'promote')
      await expectPromotedAt(restored, target, journal)
      await expectPromoted(restored)
    },
    // Nobody could look at it, nor resume it.
    'pause without hot standby: it shuts down': async () => {
      const restored = await restore(backup, { target, action: 'pause', settings: { hot_standby: false } })
      await restored.launchServer()
      await expectShutDownAt(restored, target, journal)
      await goOn(restored, 'promote')
      await expectPromotedAt(restored, target, journal)
      await expectPromoted(restored)
    },
  }
  await each(
    Object.entries(cases),
    ([title]) => `At the target ${title}`,
    ([, run]) => run(),
  )
})
