// The archive is full.
//
// Goal:   WAL that is not archived escalates, and the alarm says that it is for want of room; nothing is lost once there is room.
// Method: prove the alarm quiet, fill an archive that holds no more than a size, finish segments, see this alarm and no other ring
//         once it has outlasted the RTO window, make room, see the archive catch up and the alarm clear.
import { test } from '../../fixtures/drill.ts'
import { fillArchive } from '../../helpers/faults/archive-faults.ts'
import { beginArchiving, drillOutage, wakingArchiver } from './archive-outage.ts'

/** Room for the segments of the drill, once it is made. */
const ARCHIVE_BYTES = 128 * 1024 * 1024

test('a full archive escalates as that, and nothing is lost once there is room', {
  meta: { id: 'N7f', runbook: '4', needs: ['fullArchive'] },
  tags: ['nightly', 'escalation'],
}, async ({ newArchive, newPrimary, journal, step }) => {
  const { primary, archive } = await step('Archive to a volume that holds 128 MiB', async () => {
    const archive = await newArchive(ARCHIVE_BYTES)
    return { archive, primary: await newPrimary('primary', archive) }
  })
  const archiving = await step('Fill a segment', () => beginArchiving(primary, archive))
  await drillOutage(
    archiving,
    {
      fault: 'archive full',
      title: 'the archive is full',
      begin: async () => wakingArchiver(primary, await fillArchive(primary, archive)),
      expected: { cause: 'archive-full', complaint: /No space left on device/, archiver: { hasFailedLast: true } },
    },
    { journal, step },
  )
})
