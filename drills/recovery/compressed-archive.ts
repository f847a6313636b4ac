// What the drills of compressed archives have in common: the story is the same whatever compresses.

import { test } from '../../fixtures/drill.ts'
import { expectArchiveUntouched } from '../../fixtures/expectations/archive.ts'
import { expectCompressed } from '../../fixtures/expectations/backups.ts'
import { expectTimeline } from '../../fixtures/expectations/recovery.ts'
import { expectLedgerAt } from '../../fixtures/expectations/rows.ts'
import type { Compression } from '../../helpers/archive/compression.ts'

interface Compressor {
  id: string
  program: string
  ending: Compression
  /** Commands that take a file's name behind them, and give the result on standard output. */
  compress: string
  decompress: string
}

/** Recovery from an archive that nothing but this program has written and can read. */
export function drillCompressedArchive({ id, program, ending, compress, decompress }: Compressor): void {
  const [stored, unfinished] = [`"{archive}/%f.${ending}"`, `"{archive}/.%f.${ending}"`]
  test.override('walCommands', {
    archiveCommand: `if test -e ${stored}; then ${decompress} ${stored} | cmp -s "%p" -; else ${compress} "%p" > ${unfinished} && mv ${unfinished} ${stored}; fi`,
    restoreCommand: `${decompress} ${stored} > "%p"`,
  })

  test(`recovery from an archive compressed with ${program} keeps every commit before the target and none after`, {
    meta: { id, runbook: '3' },
    tags: ['nightly', 'recovery'],
  }, async ({ primary, archive, takeBackup, traffic, ledger, losePrimary, recover, runtime, journal, step, skip }) => {
    const found = await primary.exec(`command -v ${program} || true`)
    skip(found === '', `there is no ${program} where the servers run`)
    const backup = await step('Take a base backup while traffic is archived compressed', async () => {
      await traffic.append(50)
      return await takeBackup()
    })
    const target = await step('Commit on both sides of the target, in several segments', async () => {
      await traffic.append(50)
      await primary.switchWal()
      await traffic.append(50)
      const lsn = await primary.lsn('insert')
      await traffic.append(50)
      return { kind: 'lsn', lsn, inclusive: false } as const
    })
    const sealed = await step('Lose the primary', losePrimary)
    await step('The archive holds compressed files and no others', () => expectCompressed(sealed, ending, journal))
    const { restored } = await step('Recover to the target', () => recover(backup, { target }))
    await step('Rows and checksums while paused, as promised', () =>
      expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal),
    )
    await step('Promote, on the next timeline, with the same rows', async () => {
      await restored.promote()
      await expectTimeline(restored, backup.timeline + 1, journal)
      await expectLedgerAt(restored, ledger, { lsn: target.lsn, inclusive: false }, journal)
    })
    await step('The archive is as it was', () =>
      expectArchiveUntouched(archive, sealed, restored, runtime.description.capabilities, journal),
    )
  })
}
