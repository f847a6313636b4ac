// A recovery waits: because somebody paused it, because it is at its target, or because it has too few connections.
//
// Goal:   a pause that somebody forgot, or that PostgreSQL took by itself, is told as what it is and with what ends it, apart from a
//         recovery that hangs; and a recovery that waits at its target, as it was told to, wakes nobody.
// Method: raise max_connections on the primary after the backup; prove the alarm quiet, bring each pause about, see this alarm and
//         no other ring once it has outlasted its window, or none at the target; end the pause, see the alarm clear and the recovery
//         succeed. With even fewer connections than the backup had, the server does not start at all, however often it is started.
import { test } from '../../fixtures/drill.ts'
import { expectStallFiring, untilSeen } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectQuietThroughout, expectSignals } from '../../fixtures/escalation/signals.ts'
import { type ArchiveWatch, watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectPausedAt, expectReadOnly } from '../../fixtures/expectations/recovery.ts'
import type { Deviation } from '../../helpers/evidence/evidence.ts'
import { Failure } from '../../helpers/failure.ts'
import { CommandGate } from '../../helpers/faults/command-gate.ts'
import { hangAt } from '../../helpers/faults/restore-command-faults.ts'
import { untilRefused } from '../../helpers/recovery/recovery-end.ts'
import { pauseReplay } from '../../helpers/recovery/replay-pause.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

/** A backup's settings are those of the day it was taken. */
const ENOUGH_CONNECTIONS: Deviation = {
  section: '3.4',
  what: 'max_connections was set to what the primary had last, not to what it had when the backup was taken',
  why: 'where the primary had more, replay pauses at that record; with fewer than the backup had, the server does not even start',
  proposedText:
    "Before the first start set max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions and max_locks_per_transaction at least as high as the primary had them last. When the log says 'hot standby is not possible because of insufficient parameter settings', raise what it names and start the server again: resuming replay ends it.",
}

test('a paused recovery escalates as that, with who paused it, and one that waits at its target does not', {
  meta: { id: 'N12', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, commands, takeBackup, traffic, ledger, restore, startRecovery, journal, step, each }) => {
  const backup = await step('Take a base backup', takeBackup)
  const { connections, raised, segment, target } = await step('Raise max_connections, and serve traffic', async () => {
    await traffic.append(20)
    const segment = (await primary.switchWal()).next
    await traffic.append(20)
    const [row] = await primary.query("SELECT current_setting('max_connections') AS connections")
    const connections = Number(row?.connections)
    const raised = { max_connections: connections + 10 }
    await primary.stop()
    await primary.configure(raised)
    await primary.start()
    await traffic.append(20)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
    journal.observe({ connections, ...raised, target: target.lsn.toString() })
    return { connections, raised, segment, target }
  })
  const isLower = (lower: number, higher: number) =>
    new RegExp(
      `^max_connections = ${lower} is a lower setting than on the primary server, where its value was ${higher}`,
    )

  const expectRecovered = async (restored: PostgresNode, watch: ArchiveWatch) => {
    await expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal)
    await expectCleared(watch, 'recovery-stall', journal)
    await restored.destroy()
  }

  const cases: Record<string, (watch: ArchiveWatch) => Promise<void>> = {
    'it is paused by an operator': async watch => {
      const restored = await restore(backup, {
        target,
        action: 'promote',
        restoreCommand: hangAt(segment)(commands.restoreFrom(archive)),
        settings: { ...raised, recovery_prefetch: 'off' },
      })
      const gate = await CommandGate.close(restored)
      const sinceMs = await step('Pause it half way', async () => {
        const recovery = await startRecovery(restored, target, watch)
        // Not at a segment before it: replay would pause there, and nobody come to the gate.
        await gate.untilReached()
        await untilSeen(recovery, 'a segment', ({ waitEvent }) => waitEvent === 'RestoreCommand')
        const replayed = await pauseReplay(restored, () => gate.open())
        journal.observe({ pausedAt: replayed.toString() })
        return await untilSeen(recovery, 'an operator', ({ pauseState }) => pauseState === 'paused')
      })
      await step('The right alarm fires, alone, and the server has not promoted', async () => {
        await expectStallFiring(watch, { cause: 'paused-by-operator' }, sinceMs, journal)
        await expectSignals(watch, 'recovery paused by an operator', sinceMs, journal)
        await expectReadOnly(restored, backup.timeline, journal)
      })
      await step('Resumed, it reaches its target, and the alarm clears', async () => {
        await restored.query('SELECT pg_wal_replay_resume()')
        await expectRecovered(restored, watch)
      })
    },

    'it is at its target': async watch => {
      const restored = await restore(backup, { target, action: 'pause', settings: raised })
      await step('No alarm is even pending while it waits there', async () => {
        await startRecovery(restored, target, watch)
        await expectPausedAt(restored, target, journal)
        const sinceMs = performance.now()
        await expectQuietThroughout(watch, sinceMs, journal)
        await expectSignals(watch, 'recovery paused at its target', sinceMs, journal)
      })
      await step('Promoted, it has the right rows', async () => {
        await restored.promote()
        await expectRecovered(restored, watch)
      })
    },

    'the primary had more connections since': async watch => {
      const restored = await restore(backup, { target, action: 'promote' })
      const sinceMs = await step('It comes to where they were raised, and pauses', async () => {
        const recovery = await startRecovery(restored, target, watch)
        await restored.waitForLog(
          'hot standby to be impossible',
          /WARNING: {2}hot standby is not possible/,
          'recoveryEnd',
        )
        return await untilSeen(recovery, 'more connections', ({ pauseState }) => pauseState === 'paused')
      })
      await step('The right alarm fires, alone, and the server has not promoted', async () => {
        const complaint = isLower(connections, raised.max_connections)
        await expectStallFiring(watch, { cause: 'insufficient-parameters', complaint }, sinceMs, journal)
        await expectSignals(watch, 'max_connections raised on the primary since', sinceMs, journal)
        await expectReadOnly(restored, backup.timeline, journal)
      })
      await step('Started again with as many, it reaches its target, and the alarm clears', async () => {
        await restored.stop()
        await restored.configure(raised)
        journal.deviate(ENOUGH_CONNECTIONS)
        await startRecovery(restored, target, watch)
        await expectRecovered(restored, watch)
      })
    },

    // Before hot standby there is nobody to be asked to resume: PostgreSQL ends instead of pausing.
    'it has fewer connections than the backup had, and is started again and again': async watch => {
      const fewer = { max_connections: connections - 10 }
      const restored = await restore(backup, { target, action: 'promote', settings: fewer })
      let isSupervised = true
      let starts = 0
      const startOnce = async () => {
        await startRecovery(restored, target, watch)
        starts++
        const { message } = await untilRefused(restored)
        if (!/recovery aborted because of insufficient parameter settings/.test(message))
          throw new Failure('wrong-refusal', `${restored.name} was to refuse for want of connections: ${message}`)
      }
      await step('It ends, whoever starts it', async () => {
        await startOnce()
        // Of one end alone nothing is told: what the next start is seen to wait for would count, and pass.
        await startOnce()
      })
      const sinceMs = performance.now()
      const supervise = async () => {
        while (isSupervised) await startOnce()
      }
      await step('The right alarm fires, alone', async () => {
        const supervised = supervise()
        // Told of below, whatever else is found first.
        supervised.catch(() => undefined)
        try {
          const complaint = isLower(fewer.max_connections, connections)
          await expectStallFiring(watch, { cause: 'insufficient-parameters', complaint }, sinceMs, journal)
          await expectSignals(watch, 'max_connections lower than in the backup', sinceMs, journal)
        } finally {
          isSupervised = false
          await supervised
        }
        journal.observe({ starts })
      })
      await step('With as many as the primary, it reaches its target, and the alarm clears', async () => {
        await restored.configure(raised)
        await startRecovery(restored, target, watch)
        await expectRecovered(restored, watch)
      })
    },
  }
  await each(
    Object.entries(cases),
    ([title]) => `Recovery waits: ${title}`,
    async ([, run]) => {
      const watch = watchArchive(primary, archive, { backup, target })
      await step('The alarm is quiet', () => expectQuiet(watch, journal))
      await run(watch)
    },
  )
})
