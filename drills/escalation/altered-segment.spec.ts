// Segments are in the archive, with the right names and the right size, and other content than they should have: zeros, another
// cluster's, each other's, one bit that is not as it was written.
//
// Goal:   what no listing shows is told from the segments themselves before anybody restores: which of them are damaged, how, and
//         how far one can come back. PostgreSQL takes each of them for the end of the archive: with a target it refuses, and
//         without one it promotes with whatever came before.
// Method: prove the alarm quiet, damage five segments in four ways, see the alarm name each of them; then recover up to one after
//         the other, the first one first, bring it back, and see what the alarm still says.
import { test } from '../../fixtures/drill.ts'
import { expectAlteredRefused, expectPromotedEarly } from '../../fixtures/escalation/altered-segment.ts'
import { expectMissingFiring, expectStillFiring } from '../../fixtures/escalation/missing-archive-segment.ts'
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import { watchArchive } from '../../fixtures/escalation/watch.ts'
import { expectRecoveredTo } from '../../fixtures/expectations/recovered.ts'
import { findRecord } from '../../helpers/archive/find-record.ts'
import { SegmentRange } from '../../helpers/archive/segment-range.ts'
import { untilAcknowledged } from '../../helpers/archive/server-progress.ts'
import { flipBit, replaceSegment, swapSegments, zeroSegment } from '../../helpers/faults/archive-faults.ts'
import type { WalDamageKind } from '../../helpers/postgres/wal-damage.ts'
import { RECORD_HEADER_BYTES } from '../../helpers/postgres/wal-record.ts'

// A compressed file that is damaged would not even be unpacked.
test.override('walCommands', {})

test('segments with other content are told from what they hold, and end every recovery', {
  meta: { id: 'N6r', runbook: '4' },
  tags: ['nightly', 'escalation'],
}, async ({ primary, archive, newServer, takeBackup, traffic, ledger, launch, each, journal, step }) => {
  const fill = async () => {
    await traffic.append(10)
    return await primary.switchWal()
  }
  const backup = await step('Take a base backup', takeBackup)
  const { foreign, zeroed, flipped, swapped, middle, target } = await step('Fill six segments', async () => {
    await fill()
    const [foreign, zeroed] = [await fill(), await fill()]
    await traffic.append(10)
    const middle = await primary.lsn('insert')
    const [flipped, first, second] = [await fill(), await fill(), await fill()]
    await traffic.append(10)
    const target = { kind: 'lsn', lsn: await primary.lsn('insert'), inclusive: false } as const
    const last = await fill()
    await archive.waitFor(last, primary)
    await untilAcknowledged(primary, last)
    const swapped = new SegmentRange(first, second)
    return { foreign, zeroed, flipped, swapped, middle, target }
  })
  const { systemIdentifier, content } = await step('Let another cluster write a segment of the same name', async () => {
    const other = await newServer('other', archive)
    await other.configure({ fsync: false, wal_keep_size: '1GB' })
    await other.start()
    for (;;) {
      await other.query("SELECT pg_logical_emit_message(true, 'drill', 'of another cluster')")
      if ((await other.switchWal()).number >= foreign.number) break
    }
    const [cluster] = await other.query('SELECT system_identifier::text AS id FROM pg_control_system()')
    const content = await other.data.read(`pg_wal/${foreign}`)
    await other.destroy()
    return { systemIdentifier: cluster?.id ?? '', content }
  })
  const watch = watchArchive(primary, archive, { backup, target, deep: true })
  await step('The alarm is quiet', () => expectQuiet(watch, journal))

  const { repairs, broken, damagedAtMs } = await step('Damage five segments, in four ways', async () => {
    const broken = await findRecord(archive, flipped, { from: middle, systemIdentifier: backup.systemIdentifier })
    const repairs = {
      foreign: await replaceSegment(archive, foreign, content),
      zeroed: await zeroSegment(archive, zeroed),
      flipped: await flipBit(archive, flipped, broken.lsn.plus(BigInt(RECORD_HEADER_BYTES))),
      swapped: await swapSegments(archive, swapped.first, swapped.last),
    }
    journal.observe({
      foreign: foreign.name,
      zeroed: zeroed.name,
      swapped: String(swapped),
      broken: String(broken.lsn),
    })
    return { repairs, broken, damagedAtMs: performance.now() }
  })
  /** Of those that are damaged still, the first one first. */
  const damages = [
    {
      fault: 'segment of another cluster',
      what: 'of another cluster',
      range: new SegmentRange(foreign, foreign),
      kind: 'other-cluster',
      limit: foreign.start,
      says: `WAL file is from different database system: WAL file database system identifier is ${systemIdentifier}, pg_control database system identifier is ${backup.systemIdentifier}`,
      repair: repairs.foreign,
    },
    {
      fault: 'segment filled with zeros',
      what: 'of zeros',
      range: new SegmentRange(zeroed, zeroed),
      kind: 'zeros',
      limit: zeroed.start,
      says: `invalid magic number 0000 in (log|WAL) segment ${zeroed},`,
      repair: repairs.zeroed,
    },
    {
      fault: 'one bit flipped in a record',
      what: 'with one bit flipped in a record',
      range: new SegmentRange(flipped, flipped),
      kind: 'wrong-checksum',
      limit: broken.lsn,
      says: `incorrect resource manager data checksum in record at ${broken.lsn}`,
      repair: repairs.flipped,
    },
    {
      fault: 'two segments swapped',
      what: 'swapped with its neighbour',
      range: swapped,
      kind: 'other-position',
      limit: swapped.first.start,
      says: `unexpected pageaddr ${swapped.last.start} in (log|WAL) segment ${swapped.first},`,
      repair: repairs.swapped,
    },
  ] as const satisfies readonly { kind: WalDamageKind; [more: string]: unknown }[]
  const alarmFrom = (index: number) => {
    const left = damages.slice(index)
    const ranges = left.map(({ range }) => range)
    return {
      segments: ranges,
      damaged: ranges,
      damages: left.map(({ kind }) => kind),
      blocks: `recovery to the target ${target.lsn}`,
      recoverableTo: left[0]?.limit,
    }
  }
  await step('The right alarm fires, alone, and tells of each how it is damaged', () =>
    expectMissingFiring(watch, alarmFrom(0), damagedAtMs, journal),
  )
  await step('No other signal fires', async () => {
    for (const { fault } of damages) await expectSignals(watch, fault, damagedAtMs, journal)
  })

  const timeline = backup.timeline + 1
  for (const [index, { what, range, kind, limit, says, repair }] of damages.entries()) {
    const altered = { segment: range.first, says: new RegExp(says) }
    const refused = async () => {
      const restored = await launch(backup, { target })
      await expectAlteredRefused(restored, altered, journal)
      await restored.destroy()
    }
    const promoted = async () => {
      const restored = await launch(backup, { target: { kind: 'latest' } })
      await expectPromotedEarly(restored, { ...altered, limit, timeline, ledger }, journal)
      await restored.destroy()
    }
    if (kind === 'wrong-checksum') {
      const cases = [
        { title: `Recovery to the target refuses the segment ${what}`, run: refused },
        { title: `Recovery without a target promotes within the segment ${what}, as the alarm said`, run: promoted },
      ]
      await each(
        cases,
        ({ title }) => title,
        ({ run }) => run(),
      )
    } else await step(`Recovery refuses the segment ${what}`, refused)
    await step(`Brought back, the one ${what} is no longer told`, async () => {
      await repair()
      if (index < damages.length - 1) await expectStillFiring(watch, [alarmFrom(index + 1)], journal)
      else await expectCleared(watch, 'missing-archive-segment', journal)
    })
  }
  await step('With all of them back, the same recovery succeeds', async () => {
    const restored = await launch(backup, { target })
    await expectRecoveredTo(restored, target, { timeline, ledger }, journal)
  })
})
