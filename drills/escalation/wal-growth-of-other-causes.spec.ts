// pg_wal grows, and the archive has nothing to do with it.
//
// Goal:   what keeps WAL that is archived already, or writes much of it, is told apart from an archive that takes none: nobody is
//         paged for archiving, and the reason is named.
// Method: give a primary that archives one such reason at a time, watch it for twice the RTO window, see nothing fire, and the
//         reason stated before all others.
import { test } from '../../fixtures/drill.ts'
import { expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { expectNothingFires, expectOtherGrowth, finishSegments } from '../../fixtures/escalation/wal-growth.ts'
import type { Deviation } from '../../helpers/evidence/evidence.ts'
import { breakArchiveCommand, slowDown } from '../../helpers/faults/archive-command-faults.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import { beginArchiving } from './archive-outage.ts'

/**
 * As in production, much longer than an archive_command takes for a segment: while it is at one, nothing tells it from one that
 * hangs, and a user's may compress.
 */
const WINDOW_SECONDS = 4

/** For so many segments a slow archive needs longer than the window; for one of them, much less. */
const SLOW_SECONDS = 1
const SLOW_SEGMENTS = 5

/** A slot is no archive failure, and fills the disk as well. */
const SLOT_NAMED: Deviation = {
  section: '4',
  what: 'a replication slot that nobody reads from was named as what holds pg_wal, and nobody was paged for it',
  why: 'archiving works, so this signal would send the wrong people to the wrong place; yet the slot fills the disk of the primary as a dead archive does',
  proposedText:
    'Give slots a limit (max_slot_wal_keep_size) and a signal of their own: a replication slot that is not active and holds more WAL than that limit allows. `pg_wal` growth while every finished segment stands in the archive is none of the archive: look at pg_replication_slots, wal_keep_size and the last checkpoint first.',
}

test('growth of pg_wal for another reason is no archive failure, and the reason is named', {
  meta: { id: 'N10', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ newArchive, newPrimary, commands, journal, step, each }) => {
  /** So that what is kept for a recovery from a crash is little. */
  const fillAndCheckpoint = async (primary: PostgresNode, segments = 3) => {
    await finishSegments(primary, segments)
    await primary.query('CHECKPOINT')
  }
  const reasons = [
    {
      fault: 'abandoned replication slot',
      title: 'an abandoned replication slot',
      prepare: (primary: PostgresNode) =>
        primary.query("SELECT pg_create_physical_replication_slot('abandoned', immediately_reserve => true)"),
      grow: fillAndCheckpoint,
      named: { kind: 'replication-slot', sentence: /'abandoned' holds .* nobody reads from it/ },
      deviation: SLOT_NAMED,
    },
    {
      fault: 'large wal_keep_size',
      title: 'a large wal_keep_size',
      prepare: async (primary: PostgresNode) => {
        await primary.configure({ wal_keep_size: '1GB' })
        await primary.reload()
      },
      grow: fillAndCheckpoint,
      named: { kind: 'wal-keep-size', sentence: /keeps up to 1024\.0 MiB/ },
    },
    {
      fault: 'bulk load that archiving keeps up with',
      title: 'a bulk load that archiving keeps up with',
      prepare: (primary: PostgresNode) => primary.query('CREATE TABLE load (number integer, content text)'),
      grow: async (primary: PostgresNode) => {
        await primary.query('INSERT INTO load SELECT n, repeat(md5(n::text), 8) FROM generate_series(1, 150000) AS n')
        await primary.query('CHECKPOINT')
      },
      named: { kind: 'load', sentence: /were written in .* files were archived/ },
    },
    {
      fault: 'slow archive that takes one segment after another',
      title: 'an archive that is slow, and takes one segment after another',
      prepare: (primary: PostgresNode, command: string) =>
        breakArchiveCommand(primary, command, slowDown(SLOW_SECONDS)),
      grow: (primary: PostgresNode) => fillAndCheckpoint(primary, SLOW_SEGMENTS),
      named: { kind: 'load', sentence: /were written in .* files were archived/ },
    },
  ] as const
  await each(
    reasons,
    ({ title }) => title,
    async ({ fault, prepare, grow, named, ...reason }) => {
      const archive = await newArchive()
      const primary = await newPrimary('primary', archive)
      await prepare(primary, commands.archiveTo(archive))
      const { watch } = await beginArchiving(primary, archive, WINDOW_SECONDS)
      await step('The alarm is quiet', () => expectQuiet(watch, journal))
      await step('WAL grows, and nothing fires', async () => {
        const work = async () => {
          await grow(primary)
          const [last] = await finishSegments(primary, 1)
          if (last) await archive.waitFor(last, primary)
        }
        const sinceMs = performance.now()
        await expectNothingFires(watch, work(), journal)
        await expectSignals(watch, fault, sinceMs, journal)
      })
      await step('The reason is named', async () => {
        await expectQuiet(watch, journal)
        expectOtherGrowth(watch, named, journal)
        if ('deviation' in reason) journal.deviate(reason.deviation)
      })
      // Room for the next two.
      await primary.destroy()
      await archive.volume.remove('wal')
    },
  )
})
