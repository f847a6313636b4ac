// A recovery comes no further: its restore_command does not end, or asks again and again.
//
// Goal:   whoever waits for a server to come back is told that it does not, what is waited for and why, before the RTO is over; and
//         a recovery that is only slow is told how long it will take instead of being taken for dead.
// Method: lose the primary; prove the alarm quiet, hold recovery up at one segment, see this alarm and no other ring once it has
//         outlasted its window, the server still short of its target; let it go on, see the alarm clear and the recovery succeed.
//         Then slow every fetch down, see no alarm ring, and compare what was estimated with what it took.
import { test } from '../../fixtures/drill.ts'
import { expectSlowToldApart, expectStallFiring, untilSeen } from '../../fixtures/escalation/recovery-stall.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectPausedAt, expectReadOnly } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import type { Deviation } from '../../helpers/evidence/evidence.ts'
import { slowDown } from '../../helpers/faults/archive-command-faults.ts'
import { CommandGate } from '../../helpers/faults/command-gate.ts'
import { failAt, hangAt, retryAt } from '../../helpers/faults/restore-command-faults.ts'

/** Of a fetch, well within the window of the watch; of all of them together, longer than it. */
const SLOW_SECONDS = 0.4
const SEGMENTS = 5
/** Longer than a slow fetch takes on a busy machine: while it is at one, nothing tells it from one that hangs. */
const SLOW_WINDOW_SECONDS = 2

/** Reading ahead, it would come to a segment before the server takes queries. */
const SETTINGS = { recovery_prefetch: 'off' }

/** The runbook has the signal, and nothing to tell one cause from another by. */
const CAUSE_LOOKED_UP: Deviation = {
  section: '4',
  what: 'why recovery came no further was told from the startup process: its title, its wait event, its pause state and the log',
  why: 'a restore_command that hangs, one that tries again, a forgotten standby.signal and a slow archive look alike from outside, and each is ended in another way',
  proposedText:
    'When replay stands still, ask pg_stat_activity for the wait_event of the startup process (RestoreCommand: look at the command and the archive that it reaches; RecoveryRetrieveRetryInterval: the server is in standby mode, remove standby.signal and start it again; RecoveryPause: see pg_get_wal_replay_pause_state()), and ps for the segment in its title. Take a recovery for stalled only when it has not moved for longer than one segment takes to be fetched.',
}

test('a recovery that comes no further escalates with what is waited for, and one that is slow says how long it takes', {
  meta: { id: 'N11', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  commands,
  takeBackup,
  traffic,
  ledger,
  losePrimary,
  restore,
  startRecovery,
  journal,
  step,
  each,
}) => {
  const backup = await step('Take a base backup', takeBackup)
  const { segment, target } = await step(`Fill ${SEGMENTS} segments, with the target in the last`, async () => {
    await traffic.append(20)
    const segment = (await primary.switchWal()).next
    for (let filled = 2; filled < SEGMENTS; filled++) {
      await traffic.append(20)
      await primary.switchWal()
    }
    await traffic.append(20)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(20)
    return { segment, target }
  })
  await step('Lose the primary', losePrimary)
  const command = commands.restoreFrom(archive)

  const stalls = [
    {
      name: 'restore_command hangs',
      title: 'restore_command hangs',
      fault: hangAt(segment),
      goOn: (gate: CommandGate) => gate.open(),
      expected: { cause: 'restore-command-hanging', file: segment },
    },
    {
      name: 'restore_command tries again without end',
      title: 'restore_command tries again and again',
      fault: retryAt(segment),
      goOn: (gate: CommandGate) => gate.remove(),
      expected: { cause: 'restore-command-retrying', file: segment, complaint: /cannot be reached, trying again/ },
    },
    {
      name: 'standby mode asks without end',
      title: 'PostgreSQL itself asks again and again, in standby mode',
      fault: failAt(segment),
      // Left there by whoever set up a standby before; it wins over recovery.signal.
      standby: true,
      goOn: (gate: CommandGate) => gate.remove(),
      expected: { cause: 'restore-command-retrying', file: segment },
    },
  ] as const
  const drillStall = async ({ name, fault, goOn, expected, ...kind }: (typeof stalls)[number]) => {
    const watch = watchArchive(undefined, archive, { backup, target })
    const restored = await restore(backup, {
      target,
      action: 'promote',
      restoreCommand: fault(command),
      settings: 'standby' in kind ? { ...SETTINGS, wal_retrieve_retry_interval: '200ms' } : SETTINGS,
    })
    if ('standby' in kind) await restored.data.write('standby.signal', '')
    const gate = await CommandGate.close(restored)
    await step('The alarm is quiet', () => expectQuiet(watch, journal))
    const sinceMs = await step('Recovery comes to where it is held up', async () => {
      const recovery = await startRecovery(restored, target, watch)
      await gate.untilReached()
      const waitsFor = 'standby' in kind ? 'RecoveryRetrieveRetryInterval' : 'RestoreCommand'
      return await untilSeen(
        recovery,
        waitsFor,
        ({ waitEvent, activity }) => waitEvent === waitsFor && activity === 'waiting',
      )
    })
    await step('The right alarm fires, alone, and the server has not promoted', async () => {
      await expectStallFiring(watch, expected, sinceMs, journal)
      await expectSignals(watch, name, sinceMs, journal)
      await expectReadOnly(restored, backup.timeline, journal)
    })
    journal.deviate(CAUSE_LOOKED_UP)
    await step('Let go on, it reaches its target, and the alarm clears', async () => {
      await goOn(gate)
      await expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal)
      await expectCleared(watch, 'recovery-stall', journal)
    })
    await restored.destroy()
  }

  const drillSlow = async () => {
    const watch = watchArchive(undefined, archive, { backup, target }, SLOW_WINDOW_SECONDS)
    const restored = await restore(backup, { target, action: 'pause', restoreCommand: slowDown(SLOW_SECONDS)(command) })
    await step('The alarm is quiet', () => expectQuiet(watch, journal))
    const sinceMs = performance.now()
    await step('No alarm fires on the way, and how long it will take is told', async () => {
      const recovery = await startRecovery(restored, target, watch)
      await expectSlowToldApart(watch, { recovery, sinceMs, rtoSeconds: { missed: 1, met: 60 } }, journal)
    })
    await step('It is at its target, with the right rows, and the alarm quiet', async () => {
      await expectPausedAt(restored, target, journal)
      await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
      await expectSignals(watch, 'slow restore_command', sinceMs, journal)
    })
    await restored.destroy()
  }

  await each(
    [
      { title: 'every fetch is slow', run: drillSlow },
      ...stalls.map(stall => ({ title: stall.title, run: () => drillStall(stall) })),
    ],
    ({ title }) => title,
    ({ run }) => run(),
  )
})
