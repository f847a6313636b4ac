// A base backup goes bad, in its store or on the way out of it.
//
// Goal:   a damaged backup is found and named before a server is started from it. Where nobody looks, recovery comes up as if
//         nothing were wrong: to its target, on its timeline; then the rows give it away. No alarm of a living primary rings.
// Method: damage a copy of one backup in each way, and try to recover from it: refused, before any start. Then damage a data
//         directory that has been checked already, start it, see what PostgreSQL makes of it, and what the ledger says of that.
import { DATABASE } from '../../fixtures/dispatch/dispatch.ts'
import { test } from '../../fixtures/drill.ts'
import { expectNoStall } from '../../fixtures/escalation/recovery-stall.ts'
import { expectSignals } from '../../fixtures/escalation/signals.ts'
import { type ArchiveWatch, watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectFound } from '../../fixtures/expectations/backups.ts'
import { expectCaught } from '../../fixtures/expectations/caught.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { expectNotStartedWithoutLabel, expectPromotedAt, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import {
  type BackupDamage,
  CHANGED_MANIFEST,
  copyBackup,
  cutOff,
  flippedBit,
  MISSING_LABEL,
  missing,
} from '../../helpers/backup/damages.ts'
import { layRequiredWal } from '../../helpers/backup/own-wal.ts'
import type { FaultName } from '../../helpers/evidence/faults.ts'
import { fileOf } from '../../helpers/faults/server-faults.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

// What a vacuum of its own accord touched after the backup would come back whole, from the page's image in the WAL.
test.override('primarySettings', { autovacuum: false })

interface Case {
  fault: FaultName
  damage: BackupDamage
  /** What becomes of a recovery, or of one after another, whose files were damaged after they had been checked. */
  unchecked: readonly ((restored: PostgresNode, watch: ArchiveWatch) => Promise<void>)[]
}

test('a damaged backup is found before a server is started from it, and at the latest by its rows', {
  meta: { id: 'N15', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({
  primary,
  archive,
  backups,
  takeBackup,
  traffic,
  ledger,
  restore,
  startRecovery,
  launch,
  journal,
  step,
  each,
}) => {
  const { backup, jobs } = await step('Take a base backup of a table of several pages', async () => {
    await traffic.bulk(2_000)
    const backup = await takeBackup()
    const path = await fileOf(primary, DATABASE, 'jobs')
    const { sizeBytes } = backup.manifest.files.find(file => file.path === path) ?? { sizeBytes: 0 }
    journal.observe({ path, sizeBytes })
    return { backup, jobs: { path, sizeBytes } }
  })
  const target = await step('Serve on, up to the target and beyond', async () => {
    await traffic.append(30)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    await traffic.append(10)
    await archive.waitFor(await primary.switchWal(), primary)
    return target
  })

  const expectLedger = (restored: PostgresNode) =>
    expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
  /** All that there is to be seen of the recovery itself is as it should be; its rows are not. */
  const expectCaughtByRows = (kind: string, message: RegExp) => async (restored: PostgresNode, watch: ArchiveWatch) => {
    await startRecovery(restored, target, watch)
    await expectNoStall(watch, expectPromotedAt(restored, target, journal), journal)
    await expectTimeline(restored, backup.timeline + 1, journal)
    await expectCaught(() => expectLedger(restored), { kind, message }, journal)
  }
  const lost = expectCaughtByRows('rows-missing', /^\d+ rows promised at LSN \S+ exclusive missing: jobs /)
  /** Taken for a whole server, with the WAL that came with it: it recovers as from a crash, and asks no archive for more. */
  const expectCaughtAsCrashed = async (restored: PostgresNode) => {
    await layRequiredWal(restored.data, backup, archive)
    await restored.data.remove('recovery.signal')
    await restored.start()
    await expectCaught(
      () => expectTimeline(restored, backup.timeline + 1, journal),
      { kind: 'wrong-timeline', message: /is on timeline 1 instead of 2$/ },
      journal,
    )
    await expectCaught(
      () => expectLedger(restored),
      { kind: 'rows-missing', message: /^\d+ rows promised at LSN \S+ exclusive missing: / },
      journal,
    )
  }
  const cases: Case[] = [
    { fault: 'backup without one of its files', damage: missing(jobs), unchecked: [lost] },
    { fault: 'file of the backup cut off', damage: cutOff(jobs, Math.floor(jobs.sizeBytes / 2)), unchecked: [lost] },
    {
      fault: 'file of the backup changed, its size kept',
      damage: flippedBit(jobs),
      unchecked: [expectCaughtByRows('rows-unreadable', /invalid page in block \d+ of relation/)],
    },
    {
      fault: 'backup without its backup_label',
      damage: MISSING_LABEL,
      unchecked: [
        async (restored, watch) => {
          await startRecovery(restored, target, watch)
          await expectNoStall(watch, expectNotStartedWithoutLabel(restored, journal), journal)
        },
        expectCaughtAsCrashed,
      ],
    },
    {
      // Whatever is wrong with its proof, the backup is as it was.
      fault: 'manifest of the backup changed',
      damage: CHANGED_MANIFEST,
      unchecked: [
        async (restored, watch) => {
          await startRecovery(restored, target, watch)
          const recovered = expectRecoveredTo(restored, target, { timeline: backup.timeline + 1, ledger }, journal)
          await expectNoStall(watch, recovered, journal)
        },
      ],
    },
  ]
  await each(
    cases,
    ({ damage }) => `Recover from a damaged backup: ${damage.what}`,
    async ({ fault, damage, unchecked }) => {
      const { what, named, inflict } = damage
      const watch = watchArchive(primary, archive, { backup, target })
      const sinceMs = performance.now()
      await step(`In its store: ${what}`, async () => {
        const copy = await copyBackup(
          backup,
          backups,
          primary,
          `damaged-${cases.findIndex(one => one.damage === damage)}`,
        )
        await inflict(backups, `${copy.folder}/base`)
        await expectFound({ damage: what, kind: 'backup-damaged', named }, () => launch(copy, { target }), journal)
        await backups.remove(copy.folder)
      })
      for (const expectOutcome of unchecked)
        await step(`After all checks: ${what}`, async () => {
          const restored = await restore(backup, { target, action: 'promote' })
          await inflict(restored.data, '')
          await expectOutcome(restored, watch)
          await restored.destroy()
        })
      await expectSignals(watch, fault, sinceMs, journal)
    },
  )
})
