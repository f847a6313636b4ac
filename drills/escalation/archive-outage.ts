// What the drills of an archive that takes nothing have in common, whatever keeps it from it.
import { expectCleared, expectQuiet, expectSignals } from '../../fixtures/escalation/signals.ts'
import {
  type ExpectedGrowth,
  expectArchived,
  expectGrowthFiring,
  finishSegments,
} from '../../fixtures/escalation/wal-growth.ts'
import { type ArchiveWatch, watchArchive } from '../../fixtures/escalation/watch.ts'
import type { WalArchive } from '../../helpers/archive/wal-archive.ts'
import type { FaultName } from '../../helpers/evidence/faults.ts'
import type { Journal } from '../../helpers/evidence/journal.ts'
import type { Repair } from '../../helpers/faults/repair.ts'
import type { WalSegment } from '../../helpers/postgres/wal-segment.ts'
import type { PostgresNode } from '../../helpers/runtime/postgres-node.ts'

/** A primary that archives, and what watches it. */
export interface Archiving {
  primary: PostgresNode
  watch: ArchiveWatch
  /** From here on nothing may be lost. */
  first: WalSegment
}

/**
 * A primary whose first segment stands in the archive: what was there before could have been recovered to.
 * @param windowSeconds of the watch. Default: the drills'.
 */
export async function beginArchiving(
  primary: PostgresNode,
  archive: WalArchive,
  windowSeconds?: number,
): Promise<Archiving> {
  const lsn = await primary.lsn('insert')
  const [first] = await finishSegments(primary, 1)
  if (!first) throw new Error('no segment was finished')
  await archive.waitFor(first, primary)
  const [cluster] = await primary.query('SELECT system_identifier::text AS id FROM pg_control_system()')
  const backup = { timeline: first.timeline, startLsn: lsn, stopLsn: lsn, systemIdentifier: cluster?.id ?? '' }
  return { primary, first, watch: watchArchive(primary, archive, { backup, target: { lsn } }, windowSeconds) }
}

/** A repair of the archive that lets an archiver which has failed three times, and sleeps for up to 60 s, know of it. */
export function wakingArchiver(primary: PostgresNode, repair: Repair): Repair {
  return async () => {
    await repair()
    await primary.reload()
  }
}

export interface Outage {
  fault: FaultName
  /** As the steps name it: "the archive_command exits with 1". */
  title: string
  begin: () => Promise<Repair>
  expected: Omit<ExpectedGrowth, 'lacking'>
}

/** Quiet; the right alarm, alone, while the archive takes nothing; quiet again once it is repaired, and nothing lost. */
export async function drillOutage(
  { primary, watch, first }: Archiving,
  { fault, title, begin, expected }: Outage,
  { journal, step }: { journal: Journal; step: <T>(title: string, body: () => Promise<T>) => Promise<T> },
): Promise<void> {
  await step('The alarm is quiet', () => expectQuiet(watch, journal))
  const { repair, lacking, sinceMs } = await step(`Two segments are finished while ${title}`, async () => {
    const repair = await begin()
    const sinceMs = performance.now()
    return { repair, lacking: await finishSegments(primary, 2), sinceMs }
  })
  await step('The right alarm fires, alone, naming the cause', () =>
    expectGrowthFiring(watch, { ...expected, lacking }, sinceMs, journal),
  )
  await step('No other signal fires', () => expectSignals(watch, fault, sinceMs, journal))
  await step('Repaired, the archive catches up, and lacks nothing', async () => {
    const repairedAtMs = performance.now()
    await repair()
    await expectArchived(watch, first, lacking.at(-1) ?? first, journal)
    journal.observe({ secondsToCatchUp: (performance.now() - repairedAtMs) / 1000 })
  })
  await step('The alarm clears', () => expectCleared(watch, 'wal-growth-without-archiving', journal))
}
