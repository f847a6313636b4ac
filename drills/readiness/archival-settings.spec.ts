// The runbook's section 1: is this primary set up so that it can be recovered?
//
// Goal:   a primary as the runbook wants it passes every check, and each setting that drifts is found by its name, with the
//         value seen, the value wanted and whom to page.
// Method: read the settings of a running primary and check them; then change one row at a time and check again.
import { test } from '../../fixtures/drill.ts'
import { expectDriftFound, expectReady } from '../../fixtures/readiness.ts'
import { readArchivalSettings } from '../../helpers/readiness/archival-settings.ts'

const drifts = [
  { name: 'archive_mode', setting: 'off', verdict: 'failure' },
  { name: 'wal_level', setting: 'minimal', verdict: 'failure' },
  { name: 'archive_command', setting: '', verdict: 'failure' },
  { name: 'archive_command', setting: '/bin/true', verdict: 'failure' },
  { name: 'archive_command', setting: 'cp %p {data_directory}/archive/%f', verdict: 'failure' },
  { name: 'archive_command', setting: 'cp %p /tmp/%f', verdict: 'failure' },
  { name: 'archive_library', setting: 'basic_archive', verdict: 'failure' },
  { name: 'wal_keep_size', setting: '0', verdict: 'failure' },
  { name: 'archive_timeout', setting: '0', verdict: 'warning' },
] as const

test('a primary as configured is ready for recovery, and every drift is found by name', {
  meta: { id: 'R1', runbook: '1' },
  tags: ['core', 'nightly', 'readiness'],
}, async ({ primary, archive, journal, step }) => {
  const rows = await step('Read the settings of the primary', async () => {
    await using session = await primary.session()
    return await readArchivalSettings(session)
  })
  // The drill's archive lies where drills put things; that of the user must not.
  const options = { durablePaths: [archive.path] }
  await step('Every check is ok', () => expectReady(rows, options, journal))
  for (const { name, setting, verdict } of drifts) {
    await step(`Drifted: ${name} = '${setting}'`, () =>
      expectDriftFound(rows, { name, setting, verdict }, options, journal),
    )
  }
  await step('wal_level = logical is accepted', () =>
    expectReady(
      rows.map(row => (row.name === 'wal_level' ? { ...row, setting: 'logical' } : row)),
      options,
      journal,
    ),
  )
})
