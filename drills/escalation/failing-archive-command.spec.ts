// The archive_command fails, in each way in which a command can.
//
// Goal:   WAL that is not archived escalates with the cause, also where pg_stat_archiver counts no failure; nothing is lost once
//         the command is repaired.
// Method: prove the alarm quiet, give a primary a command that fails, finish segments, see this alarm and no other ring once it
//         has outlasted the RTO window, repair the command, see the archive catch up and the alarm clear.
import { test } from '../../fixtures/drill.ts'
import { breakArchiveCommand, failWith, killBySignal } from '../../helpers/faults/archive-command-faults.ts'
import { beginArchiving, drillOutage } from './archive-outage.ts'

const exit1 = {
  title: 'the archive_command exits with 1',
  fault: failWith(1),
  complaint: /^archive command failed with exit code 1 \(drill: [0-9A-F]{24} is not stored\)$/,
  archiver: { isRunning: true, hasFailedLast: true },
}
const exit127 = {
  title: 'the archive_command exits with 127',
  fault: failWith(127),
  complaint: /^archive command failed with exit code 127 \(drill: [0-9A-F]{24} is not stored\)$/,
  archiver: { hasFailedLast: false },
}
const killed = {
  title: 'the archive_command is killed by a signal',
  fault: killBySignal('KILL'),
  complaint: /^archive command was terminated by signal 9/,
  // Nothing is counted of it.
  archiver: { failedCount: 0, hasFailedLast: false },
}

/** One after another on a primary of their own: what ends the archiver comes last, since it starts again 10 s later at the earliest. */
const courses = [[exit1, exit127], [killed]]

test('a failing archive_command escalates with its cause, and nothing is lost once it is repaired', {
  meta: { id: 'N7', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ newArchive, newPrimary, commands, journal, step, each }) => {
  await each(
    courses,
    faults => faults.map(({ title }) => title).join(', then '),
    async faults => {
      const archive = await newArchive()
      const archiving = await beginArchiving(await newPrimary('primary', archive), archive)
      for (const { title, fault, complaint, archiver } of faults) {
        const begin = () => breakArchiveCommand(archiving.primary, commands.archiveTo(archive), fault)
        await drillOutage(
          archiving,
          { title, begin, expected: { cause: 'command-failing', complaint, archiver } },
          { journal, step },
        )
      }
    },
  )
})
