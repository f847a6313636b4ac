// The archive_command neither succeeds nor fails.
//
// Goal:   WAL that is not archived escalates though nothing has failed, and nothing is lost once the command goes on.
// Method: prove the alarm quiet, hold the command back in the middle, finish segments, see this alarm and no other ring once it
//         has outlasted the RTO window; let it go, see the archive catch up and the alarm clear.
import { test } from '../../fixtures/drill.ts'
import { breakArchiveCommand, hangAtGate } from '../../helpers/faults/archive-command-faults.ts'
import { CommandGate } from '../../helpers/faults/command-gate.ts'
import { beginArchiving, drillOutage } from './archive-outage.ts'

test('a hanging archive_command escalates though nothing has failed, and nothing is lost once it goes on', {
  meta: { id: 'N9', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, commands, journal, step }) => {
  const archiving = await step('Fill a segment', () => beginArchiving(primary, archive))
  const begin = async () => {
    const gate = await CommandGate.close(primary)
    const repair = await breakArchiveCommand(primary, commands.archiveTo(archive), hangAtGate)
    return async () => {
      await gate.open()
      await repair()
    }
  }
  await drillOutage(
    archiving,
    {
      fault: 'archive_command hangs',
      title: 'the archive_command hangs',
      begin,
      expected: {
        cause: 'command-hanging',
        archiver: { isRunning: true, isInCommand: true, failedCount: 0, hasFailedLast: false },
      },
    },
    { journal, step },
  )
})
