// The archive_command fails, in each way in which a command can.
//
// Goal:   WAL that is not archived escalates with the cause, also where pg_stat_archiver counts no failure; nothing is lost once
//         the command, or the archive, is repaired.
// Method: prove the alarm quiet, let a primary's command fail, finish segments, see this alarm and no other ring once it has
//         outlasted the RTO window, repair what was broken, see the archive catch up and the alarm clear.

import { test } from '../../fixtures/drill.ts'
import type { ServerCommands } from '../../fixtures/server-commands.ts'
import type { WalArchive } from '../../helpers/archive/wal-archive.ts'
import {
  breakArchiveCommand,
  type CommandFault,
  failWith,
  killBySignal,
} from '../../helpers/faults/archive-command-faults.ts'
import { lockArchive } from '../../helpers/faults/archive-faults.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'
import { beginArchiving, drillOutage, type Outage, wakingArchiver } from './archive-outage.ts'

interface Way extends Pick<Outage, 'fault' | 'title' | 'expected'> {
  begin: (primary: PostgresNode, archive: WalArchive, commands: ServerCommands) => ReturnType<Outage['begin']>
}

const broken =
  (fault: CommandFault): Way['begin'] =>
  (primary, archive, commands) =>
    breakArchiveCommand(primary, commands.archiveTo(archive), fault)

const exit1: Way = {
  fault: 'archive_command exits with 1',
  title: 'the archive_command exits with 1',
  begin: broken(failWith(1)),
  expected: {
    cause: 'command-failing',
    complaint: /^archive command failed with exit code 1 \(drill: [0-9A-F]{24} is not stored\)$/,
    archiver: { isRunning: true, hasFailedLast: true },
  },
}
const exit127: Way = {
  fault: 'archive_command exits with 127',
  title: 'the archive_command exits with 127',
  begin: broken(failWith(127)),
  expected: {
    cause: 'command-failing',
    complaint: /^archive command failed with exit code 127 \(drill: [0-9A-F]{24} is not stored\)$/,
    archiver: { hasFailedLast: false },
  },
}
const locked: Way = {
  fault: "archive's folder not writable",
  title: "the archive's folder cannot be written to",
  begin: async (primary, archive) => wakingArchiver(primary, await lockArchive(primary, archive)),
  expected: { cause: 'archive-read-only', complaint: /Permission denied/, archiver: { isRunning: true } },
}
const killed: Way = {
  fault: 'archive_command killed by a signal',
  title: 'the archive_command is killed by a signal',
  begin: broken(killBySignal('KILL')),
  expected: {
    cause: 'command-failing',
    complaint: /^archive command was terminated by signal 9/,
    archiver: { hasFailedLast: false },
  },
}

/** One after another on a primary of their own: what ends the archiver comes last, since it starts again 10 s later at the earliest. */
const courses = [
  [exit1, exit127],
  [locked, killed],
]

test('a failing archive_command escalates with its cause, and nothing is lost once it is repaired', {
  meta: { id: 'N7', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ newArchive, newPrimary, commands, journal, step, each }) => {
  await each(
    courses,
    ways => ways.map(({ title }) => title).join(', then '),
    async ways => {
      const archive = await newArchive()
      const primary = await newPrimary('primary', archive)
      const archiving = await beginArchiving(primary, archive)
      for (const { begin, ...way } of ways)
        await drillOutage(archiving, { ...way, begin: () => begin(primary, archive, commands) }, { journal, step })
    },
  )
})
