// A backup of the user's own, restored on a disposable server with the archive that belongs to it.
//
// Goal:   the backup is what its manifest says, the archive leads from it to the target, what comes back is sound and takes writes;
//         where they are given, it holds what production said of itself, the user's SQL is true of it, and the application serves from
//         it; how long that takes, and what would be lost.
// Method: bring backup and WAL in, read-only; audit the archive against the target; restore with a configuration of the drill's
//         own; replay to the target, compare there, promote, serve. Everything that was made is destroyed.
import { test } from '../../fixtures/drill.ts'
import { expectNoFailure } from '../../fixtures/expectations/checks.ts'
import { expectObjectives } from '../../fixtures/expectations/objectives.ts'
import { expectIsolated, expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectAsInSnapshot } from '../../fixtures/expectations/snapshot.ts'
import { expectSqlChecks } from '../../fixtures/expectations/sql-checks.ts'
import { expectServes } from '../../fixtures/live/application.ts'
import { expectArchiveReaches, expectNoTablespaceOutside } from '../../fixtures/live/archive-audit.ts'
import { describeOrigin, describeRequest, describeUnasked } from '../../fixtures/live/backup.ts'
import { expectRecoveredTo, rpoOf } from '../../fixtures/live/recovery.ts'
import { unlessStalled } from '../../fixtures/live/stall.ts'
import { importWal } from '../../helpers/archive/wal-import.ts'
import { restorable, streamOf } from '../../helpers/backup/formats/restorable.ts'
import { findMissingLibraries, preloadedBy } from '../../helpers/live/preload-libraries.ts'
import { loadRestoreConfig } from '../../helpers/live/restore-config.ts'
import { openRestore } from '../../helpers/live/restore-request.ts'
import { chooseDatabase } from '../../helpers/recovery/checks/databases.ts'
import { RecoveryTime } from '../../helpers/recovery/recovery-time.ts'
import { deviationsOf, restoreBaseBackup, type StreamedRestorePlan } from '../../helpers/recovery/restore.ts'

/** Without an objective of the user: longer than the fetch or the replay of any one segment takes. */
const STALL_SECONDS = 600

// WAL is fetched by the user's own command when it is brought in; the server takes it from there.
const drill = test.override('walCommands', {})

drill(
  'a backup of the user comes back, recovers to the target, and takes writes',
  {
    meta: { id: 'L1', runbook: '3' },
    tags: ['live'],
    timeout: 172_800_000,
  },
  async ({
    config,
    run,
    cleanup,
    runtime,
    manage,
    newArchive,
    newTablespaces,
    commands,
    startRecovery,
    journal,
    say,
    warn,
    step,
    longStep,
    replayProgress,
  }) => {
    const settings = loadRestoreConfig(config)
    const beganAt = new Date()
    const time = new RecoveryTime()
    const request = await step('Open the backup, and what it is compared with', async () => {
      const opened = await openRestore(settings, run.directory)
      cleanup.add('the source of the WAL', () => opened.source?.stop?.())
      journal.observe(describeRequest(opened))
      warn([...opened.backup.warnings, ...describeUnasked(opened, { ...settings, apiCommand: config.apiCommand })])
      return opened
    })
    const { backup, snapshot } = request
    const archive = await step('Bring in its WAL', async () => {
      const archive = await newArchive(undefined, backup.segmentSizeBytes)
      const imported = await importWal(request.source, archive, {
        backup,
        timeline: 'latest',
        known: snapshot?.toLsn,
        onWait: (name, seconds) => say(`… WAL: waiting for ${name}, ${seconds} s`, 'note'),
        ...(request.target.kind === 'lsn' ? { upTo: request.target.lsn } : {}),
      })
      const { notThere, ...counted } = imported
      journal.observe({ ...counted })
      if (notThere)
        warn([
          `the command (${request.source?.where}) had none of ${notThere.first} to ${notThere.last} that it was asked for; taken as the end of the WAL`,
        ])
      journal.prove(describeOrigin(imported, request.source))
      return archive
    })
    time.ended('WAL brought in')
    const audited = await step('Audit the archive against the target', async () => {
      const audited = await expectArchiveReaches(archive, request, journal)
      warn(audited.warnings)
      if (runtime.description.capabilities.includes('readOnlyArchive')) return audited
      await expectNoTablespaceOutside(archive, request, journal)
      return audited
    })
    const { target } = audited
    time.ended('archive audited')

    const restored = await step('Restore it onto a clean volume, checked, its configuration set aside', async () => {
      const tablespaces = await newTablespaces(backup)
      const node = manage.node(
        runtime.node('restored', [
          { volume: archive.volume, access: 'read-only' },
          ...tablespaces.map(({ volume }) => ({ volume, access: 'read-write' as const })),
        ]),
      )
      using bar = longStep({ what: 'backup', unit: 'bytes', of: backup.sizeBytes })
      const stream = streamOf(backup, {
        ...(settings.user === undefined ? {} : { user: settings.user }),
        onProgress: done => bar.reach({ done }),
        onNeutralised: setAside => warn(setAside.map(({ what, why }) => `${what} ${why}`)),
      })
      const plan: StreamedRestorePlan = {
        backup: restorable(backup),
        stream,
        restoreCommand: commands.restoreFrom(archive),
        target,
        action: 'pause',
        targetTimeline: 'latest',
        tablespaces,
        reach: audited.reach,
      }
      await restoreBaseBackup(node, plan)
      for (const deviation of deviationsOf(plan)) journal.deviate(deviation)
      journal.measure({ baseBackupBytes: backup.sizeBytes })
      journal.prove(
        backup.manifest
          ? `all ${backup.manifest.files.length} files of the backup are as its manifest has them`
          : 'all files of the backup were restored as they were read',
      )
      return node
    })
    const { recoveredTo, lastCommitAt, course } = await step('Start it, and watch replay to the target', async () => {
      // Of a target that only the WAL knows, nobody can say how far it is.
      const end = target.kind === 'lsn' ? target.lsn : target.kind === 'latest' ? audited.recoverableTo : undefined
      using bar = replayProgress(backup, end)
      const watch = await startRecovery(restored, target, undefined, bar)
      const recovered = await unlessStalled(expectRecoveredTo(restored, { target, audited }, journal), {
        recovery: watch,
        target,
        archiveEnd: audited.recoverableTo,
        windowSeconds: config.rtoSeconds ?? STALL_SECONDS,
      })
      return { ...recovered, course: () => watch.course }
    })
    time.follow(course())
    await step('It can reach nothing that it was restored from', async () => {
      await expectIsolated(restored, journal)
      const missing = await findMissingLibraries(restored, preloadedBy(backup))
      warn(
        missing.map(
          name => `the library ${name}, which the original server preloads, is not installed where this was restored`,
        ),
      )
    })
    const database = await step('Find the database that is asked', async () => {
      if (snapshot) await chooseDatabase(restored, snapshot.database)
      return await chooseDatabase(restored, settings.database ?? snapshot?.database)
    })
    const isOfSnapshot = settings.target.kind === 'snapshot'
    if (snapshot && !isOfSnapshot && recoveredTo.isBefore(snapshot.fromLsn))
      await step('Not compared with the snapshot, which was taken after the target', () =>
        warn([
          `not compared with the snapshot of ${snapshot.takenAt}: recovery ended at ${recoveredTo}, before it at ${snapshot.fromLsn}`,
        ]),
      )
    else if (snapshot)
      await step('Compare it with the snapshot, table by table', async () =>
        warn(await expectAsInSnapshot(restored, { snapshot, isSameMoment: isOfSnapshot && snapshot.exact }, journal)),
      )
    if (request.checks.length > 0)
      await step('Ask the SQL checks of the user', () => expectSqlChecks(restored, request.checks, database, journal))
    time.ended('verified')

    await step('It serves from the next timeline', async () => {
      if (target.kind !== 'latest') await restored.promote()
      await expectTimeline(restored, audited.timeline + 1, journal)
    })
    time.follow(course())
    await step('It takes writes, and the application of the user, where there is one, is healthy on it', () =>
      expectServes(restored, { run, cleanup, config, healthCommand: settings.healthCommand, database }, journal),
    )
    time.ended('healthy')

    await step('Start it anew, and put every database through every check', async () => {
      await restored.stop()
      await restored.start()
      warn(await expectNoFailure(restored, journal))
    })
    await step('Recovery time and loss, against the objectives', () => {
      const rto = time.measured(config.rtoSeconds)
      // Of another target the user has chosen what is lost.
      const rpo =
        request.target.kind === 'latest'
          ? rpoOf({ beganAt, lastCommitAt, stoppedAt: backup.stoppedAt, snapshot, recoveredTo }, config)
          : undefined
      expectObjectives({ rto, rpo }, journal)
    })
  },
)
