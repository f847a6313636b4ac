// The runbook's sections 1 and 2: is this the archive of this server, and is anything in it?
//
// Goal:   nothing ever archived, a folder that holds nothing of what was archived, and the archive of another cluster are told
//         apart, each by its own name.
// Method: two primaries and their archives; look at each with its own, with the other's, and with an empty one.
import { test } from '../../fixtures/drill.ts'
import { expectFailures, lookAt } from '../../fixtures/preflight.ts'

test('no archive, an empty one and that of another cluster are told apart', {
  meta: { id: 'R5', runbook: '2' },
  tags: ['nightly', 'readiness'],
}, async ({ primary, archive, traffic, takeBackup, newArchive, newPrimary, journal, step }) => {
  await step('Take a base backup, and archive traffic', async () => {
    await takeBackup()
    await traffic.append(20)
    await archive.waitFor(await primary.switchWal(), primary)
  })
  await step('Its own archive is a go', async () => expectFailures(await lookAt(primary, archive), {}, journal))

  const { other, others } = await step('Start another primary, with an archive of its own', async () => {
    const others = await newArchive()
    return { others, other: await newPrimary('other', others) }
  })
  await step('It has never archived anything', async () =>
    expectFailures(
      await lookAt(other, others),
      { archive: /nothing ever archived/, 'archive-lag': /nothing of timeline 1 is archived/ },
      journal,
    ),
  )
  await step('Archive of it as well', async () => {
    await other.query('CREATE TABLE of_another (id int)')
    await others.waitFor(await other.switchWal(), other)
  })
  await step('The archive of the other cluster is named as that', async () => {
    const [row] = await other.query('SELECT system_identifier AS id FROM pg_control_system()')
    expectFailures(
      await lookAt(primary, others, { own: archive }),
      {
        archive: new RegExp(`another cluster.* is of the cluster ${row?.id}`, 's'),
        // What the primary has archived is not there.
        archiver: /command-lying/,
      },
      journal,
    )
  })
  await step('An archive that holds nothing of what was archived is told apart from that', async () => {
    const empty = await newArchive()
    expectFailures(
      await lookAt(primary, empty, { own: archive }),
      {
        archive: /no segment.* says that it has archived 0000/s,
        archiver: /command-lying/,
        'archive-lag': /nothing of timeline 1 is archived/,
      },
      journal,
    )
  })
})
