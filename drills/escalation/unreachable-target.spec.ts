// A target that recovery cannot come to.
//
// Goal:   nobody waits for a recovery that cannot come to its target, and nobody takes a server for recovered that came up at
//         another moment: what can be known is refused before anything is restored, and PostgreSQL refuses the rest.
// Method: take one backup in a quiet moment, behind commits, and another with commits in it. Ask for moments before their ends, and
//         for what is nowhere in the archive, and see each refused; then restore for them all the same: a time before the
//         quiet backup PostgreSQL recovers past and promotes, which only the ledger tells; of the others it says what is wrong.
import { type RestoreRequest, test } from '../../fixtures/drill.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectPromotedAt, expectRefusedFor, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import type { BaseBackup } from '../../helpers/backup/base-backup.ts'
import { LowLevelBackup } from '../../helpers/backup/low-level-backup.ts'
import type { FaultName } from '../../helpers/evidence/faults.ts'
import type { Lsn } from '../../helpers/postgres/lsn.ts'

/** Somewhere to come to, and what is said of it. */
interface Case {
  fault: FaultName
  what: string
  from: BaseBackup
  request: Omit<RestoreRequest, 'action'>
  /** Before anything is restored. Unless only the WAL knows. */
  refused?: { kind: string; message: RegExp }
  /** By PostgreSQL. */
  refusal: RegExp
}

const TOO_EARLY = /requested recovery stop point is before consistent recovery point/
const NOT_REACHED = /recovery ended before configured recovery target was reached/

const before = (lsn: Lsn) => ({ kind: 'lsn', lsn, inclusive: false }) as const
const until = (time: string) => ({ kind: 'time', time, inclusive: true }) as const

// Its commits are nobody's: one in the quiet backup, and PostgreSQL would refuse.
test.override('primarySettings', { autovacuum: false })

test('a target that recovery cannot come to is refused, before the restore where that can be known', {
  meta: { id: 'N13', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, backups, takeBackup, traffic, ledger, restore, launch, journal, step, each }) => {
  const early = await step('Serve traffic on both sides of a time', async () => {
    await traffic.append(20)
    const time = await primary.time()
    await traffic.append(20)
    return time
  })
  const quiet = await step('Take a base backup in a quiet moment', () => takeBackup())
  const { busy, within } = await step('Take another by hand, with commits in it', async () => {
    await using copying = await LowLevelBackup.start(primary, backups)
    await copying.copyFiles()
    await traffic.append(5)
    const within = await primary.time()
    await traffic.append(5)
    await copying.copyControlFile()
    return { busy: await copying.stop(), within }
  })
  const { target, late, last } = await step('Serve traffic, until after the last commit', async () => {
    await traffic.append(20)
    const target = before(await primary.lsn('insert'))
    await traffic.append(20)
    const late = await primary.time()
    const last = await primary.switchWal()
    await archive.waitFor(last, primary)
    journal.observe({ early, within, late, last: last.name })
    return { target, late, last }
  })
  const watch = watchArchive(primary, archive, { backup: quiet, target })
  await step('The alarms are quiet', () => expectQuiet(watch, journal))

  const beforeBackup = (message: RegExp) => ({ kind: 'target-before-backup', message })
  const cases: Case[] = [
    {
      fault: 'target LSN before the end of the backup',
      what: "an LSN before the backup's end",
      from: quiet,
      request: { target: before(quiet.startLsn) },
      refused: beforeBackup(/^LSN \S+, exclusive lies before the end of the base backup .*: take an older backup$/),
      refusal: TOO_EARLY,
    },
    {
      fault: 'target time before the end of the backup',
      what: 'a time before the end of a backup with commits in it',
      from: busy,
      request: { target: until(within) },
      refused: beforeBackup(/^time .* lies before the end of the base backup .*: take an older backup$/),
      refusal: TOO_EARLY,
    },
    {
      fault: 'target LSN beyond the archive',
      what: 'an LSN beyond the end of the archive',
      from: quiet,
      request: { target: before(last.end) },
      refused: { kind: 'target-beyond-archive', message: /holds WAL up to .*: archive what is missing first, or take/ },
      refusal: NOT_REACHED,
    },
    {
      fault: 'timeline that does not exist',
      what: 'a timeline that does not exist',
      from: quiet,
      request: { target, targetTimeline: 7 },
      refused: {
        kind: 'timeline-history-missing',
        message: /^the history of timeline 7 is not .* recover along timeline 1$/,
      },
      refusal: /recovery target timeline 7 does not exist/,
    },
    {
      fault: 'two targets',
      what: 'two targets',
      from: quiet,
      request: { target, settings: { recovery_target_name: 'before-the-release' } },
      refused: { kind: 'several-targets', message: /^recovery_target_lsn and recovery_target_name are set: leave one/ },
      refusal: /multiple recovery targets specified/,
    },
    {
      fault: 'target time after the last commit',
      what: 'a time after the last commit',
      from: quiet,
      request: { target: until(late) },
      refusal: NOT_REACHED,
    },
    {
      fault: 'restore point that nobody made',
      what: 'a restore point that nobody made',
      from: quiet,
      request: { target: { kind: 'name', name: 'before-the-release' } },
      refusal: NOT_REACHED,
    },
  ]
  await step('What can be known is refused before anything is restored', async () => {
    for (const { from, request, refused } of cases)
      if (refused) await expectCaught(() => restore(from, { ...request, action: 'promote' }), refused, journal)
    const past = { target: until(early), action: 'promote' } as const
    await expectCaught(
      () => restore(quiet, past),
      beforeBackup(/^time .* lies before the end of .*older backup$/),
      journal,
    )
  })
  await step('A time before a quiet backup PostgreSQL recovers past, and promotes: only the ledger tells', async () => {
    const restored = await launch(quiet, { target: until(early), unchecked: true, watch })
    await expectNoStall(watch, expectPromotedAt(restored, until(early), journal), journal)
    await expectTimeline(restored, quiet.timeline + 1, journal)
    await expectCaught(
      () => expectLedgerAt(restored, ledger, { time: early }, journal),
      { kind: 'rows-unexpected', message: /^\d+ rows there that must not be at time / },
      journal,
    )
    await restored.destroy()
  })
  await each(
    cases,
    ({ what }) => `PostgreSQL refuses ${what}`,
    async ({ fault, from, request, refusal }) => {
      const watch = watchArchive(primary, archive, { backup: from, target })
      const sinceMs = performance.now()
      const restored = await launch(from, { ...request, unchecked: true, watch })
      await expectNoStall(watch, expectRefusedFor(restored, refusal, journal), journal)
      await expectSignals(watch, fault, sinceMs, journal)
      await restored.destroy()
    },
  )
  await step('A target that can be reached is let through, and reached', async () => {
    const restored = await launch(quiet, { target, watch })
    const recovered = expectRecoveredTo(restored, target, { timeline: quiet.timeline + 1, ledger }, journal)
    await expectNoStall(watch, recovered, journal)
  })
  await step('The alarms have stayed quiet', () => expectQuiet(watch, journal))
})
