// A recovery that is killed with `kill -9`, at every stage of it, and started again.
//
// Goal:   whatever an interrupted recovery leaves behind, half a segment, half replayed pages, a server promoted but not
//         yet open, the next start comes to the same target, the same rows and the right timeline.
// Method: hold the recovery at a known moment, by a gate in its own commands, kill every process of the server there, see
//         that none is left, start it again on the same data directory, compare with the ledger.
import { test } from '../../fixtures/drill.ts'
import { expectIsolated, expectPausedAt, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import { Failure } from '../../helpers/failure.ts'
import { CommandGate, gateAt, WAIT_AT_GATE } from '../../helpers/faults/command-gate.ts'
import { killServer } from '../../helpers/faults/kill-server.ts'
import { pauseReplay } from '../../helpers/recovery/replay-pause.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

test('a recovery killed half way comes to the same target when it is started again', {
  meta: { id: 'P9', runbook: '3' },
  tags: ['nightly', 'recovery'],
}, async ({ primary, archive, commands, takeBackup, traffic, ledger, losePrimary, restore, journal, step, each }) => {
  const backup = await step('Take a base backup', async () => {
    await traffic.append(30)
    return await takeBackup()
  })
  const segment = await step('Serve traffic over several segments', async () => {
    await traffic.append(30)
    const first = await primary.switchWal()
    await traffic.append(30)
    await primary.switchWal()
    await traffic.append(30)
    return first.next
  })
  const target = await step('Note the target, then delete everything', async () => {
    const lsn = await primary.lsn('insert')
    await traffic.deleteEverything()
    await traffic.append(5)
    return { kind: 'lsn', lsn, inclusive: false } as const
  })
  await step('Lose the primary', losePrimary)

  const gated = gateAt(segment, { archive: archive.path, command: commands.restoreFrom(archive) })
  const kill = async (restored: PostgresNode) => {
    journal.observe({ killedProcesses: await killServer(restored) })
    journal.prove('no process of the killed server is left')
  }
  const expectRows = (restored: PostgresNode) =>
    expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
  /** Started again as it was left. */
  const expectSameRecovery = async (restored: PostgresNode) => {
    await restored.launchServer()
    await expectPausedAt(restored, target, journal)
    await expectIsolated(restored, journal)
    await expectRows(restored)
    await restored.promote()
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectRows(restored)
    await restored.destroy()
  }

  const cases: Record<string, () => Promise<void>> = {
    'while it fetches a segment, half of which is there': async () => {
      const restored = await restore(backup, { target, action: 'pause', restoreCommand: gated })
      const gate = await CommandGate.close(restored)
      await restored.launchServer()
      await gate.untilReached()
      await kill(restored)
      await gate.remove()
      await expectSameRecovery(restored)
    },
    'while it replays': async () => {
      // Reading ahead, it could come to the gate before the server takes queries.
      const settings = { recovery_prefetch: 'off' }
      const restored = await restore(backup, { target, action: 'pause', restoreCommand: gated, settings })
      const gate = await CommandGate.close(restored)
      await restored.launchServer()
      await gate.untilReached()
      const replayed = await pauseReplay(restored, () => gate.open())
      journal.observe({ killedAt: replayed.toString() })
      if (replayed.isBefore(segment.start) || target.lsn.isAtOrBefore(replayed))
        throw new Failure(
          'not-half-way',
          `${restored.name} had replayed to ${replayed}, which is not between the segment ${segment} and ${target.lsn}`,
        )
      journal.prove(`replay had come to ${replayed}, short of the target`)
      await kill(restored)
      await expectSameRecovery(restored)
    },
    'when it has come to the target': async () => {
      const restored = await restore(backup, { target, action: 'pause' })
      await restored.launchServer()
      await expectPausedAt(restored, target, journal)
      await kill(restored)
      await expectSameRecovery(restored)
    },
    // Its timeline is chosen by then, and its recovery.signal gone: the next start is a crash recovery.
    'while it promotes': async () => {
      const settings = { recovery_end_command: WAIT_AT_GATE }
      const restored = await restore(backup, { target, action: 'promote', settings })
      const gate = await CommandGate.close(restored)
      await restored.launchServer()
      await gate.untilReached()
      await kill(restored)
      await gate.remove()
      await restored.start()
      await expectIsolated(restored, journal, Object.keys(settings))
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectRows(restored)
      await restored.destroy()
    },
  }
  await each(
    Object.entries(cases),
    ([title]) => `Kill it ${title}, and start it again`,
    ([, run]) => run(),
  )
})
