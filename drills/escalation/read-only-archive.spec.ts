// The archive's file system takes no writes, as one that was remounted read-only after an error.
//
// Goal:   WAL that is not archived escalates, and the alarm says that the archive cannot be written to; nothing is lost afterwards.
// Method: prove the alarm quiet, send the command to the same archive by a mount that is read-only, finish segments, see this alarm
//         and no other ring once it has outlasted the RTO window, send it back, see the archive catch up and the alarm clear.
import { test } from '../../fixtures/drill.ts'
import { breakArchiveCommand } from '../../helpers/faults/archive-command-faults.ts'
import { beginArchiving, drillOutage } from './archive-outage.ts'

test('a read-only archive escalates as that, and nothing is lost once it can be written to', {
  meta: { id: 'N7r', runbook: '4', needs: ['readOnlyArchive'] },
  tags: ['nightly', 'escalation'],
}, async ({ archive, newPrimary, commands, journal, step }) => {
  const readOnly = `${archive.volume.path}-read-only`
  const primary = await step('Start a primary with its archive mounted twice', () =>
    newPrimary('primary', archive, [{ volume: archive.volume, access: 'read-only', at: readOnly }]),
  )
  const archiving = await step('Fill a segment', () => beginArchiving(primary, archive))
  const toReadOnly = (command: string) => command.replaceAll(archive.volume.path, readOnly)
  await drillOutage(
    archiving,
    {
      fault: 'archive mounted read-only',
      title: 'the archive is read-only',
      begin: () => breakArchiveCommand(primary, commands.archiveTo(archive), toReadOnly),
      expected: { cause: 'archive-read-only', complaint: /Read-only file system/, archiver: { hasFailedLast: true } },
    },
    { journal, step },
  )
})
