import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import type { ArchiverState, ArchivingSample, SlotState } from '../archive/archiving-sample.ts'
import { ArchiveListing } from '../archive/listing.ts'
import { Lsn } from '../postgres/lsn.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import { detectWalGrowthWithoutArchiving as detect } from './wal-growth-without-archiving.ts'

const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)
const name = (number: number) => segment(number).name

interface Seen {
  /** The segment that is being written: all before it are finished. */
  current: number
  /** Numbers of the segments in the archive. */
  stored?: readonly number[]
  empty?: readonly number[]
  ready?: readonly number[]
  /** What the server says was archived last. */
  acknowledged?: number | undefined
  archiver?: Partial<ArchiverState>
  complaint?: string | undefined
  atSeconds?: number
  /** That the server writes; what is archived is of the first. */
  timeline?: number
  keepSegments?: number
  redo?: number
  slots?: readonly SlotState[]
}

function sample(seen: Seen): ArchivingSample {
  const { current, stored = [], empty = [], ready = [], acknowledged, archiver, complaint, atSeconds = 0 } = seen
  const lsn = segment(current).start.plus(96n)
  return {
    at: '2026-01-01T12:00:00.000Z',
    atSeconds,
    progress: {
      segmentSizeBytes: SIZE,
      timeline: seen.timeline ?? 1,
      insertLsn: lsn,
      readAt: { from: '2026-01-01T12:00:00.000000Z', until: '2026-01-01T12:00:00.000000Z' },
      currentLsn: lsn,
      lastArchived: acknowledged === undefined ? undefined : segment(acknowledged),
      lastArchivedSecondsAgo: acknowledged === undefined ? undefined : 1,
    },
    archiver: {
      isConfigured: true,
      isRunning: true,
      isInCommand: false,
      archivedCount: acknowledged === undefined ? 0 : acknowledged,
      failedCount: 0,
      hasFailedLast: false,
      lastFailed: undefined,
      ...archiver,
    },
    ready: ready.map(number => ({ segment: segment(number), secondsAgo: 0 })),
    walBytes: 10 * SIZE,
    retention: {
      keepBytes: (seen.keepSegments ?? 0) * SIZE,
      redoLsn: segment(seen.redo ?? current).start,
      slots: seen.slots ?? [],
    },
    listing: ArchiveListing.of(
      [
        ...stored.map(number => ({ path: name(number), sizeBytes: SIZE })),
        ...empty.map(number => ({ path: name(number), sizeBytes: 0 })),
      ],
      SIZE,
    ),
    histories: new Map(),
    damagedHistories: [],
    complaint,
  }
}

const findingsIn = (...seen: Seen[]) => detect(seen.map(sample)).findings
const causesIn = (...seen: Seen[]) => findingsIn(...seen).map(({ cause }) => cause)

/** Archived up to 3; 4 and 5 wait. */
const WELL: Seen = { current: 4, stored: [1, 2, 3], acknowledged: 3 }
const WAITING: Seen = { current: 6, stored: [1, 2, 3], acknowledged: 3, ready: [4, 5] }

describe('the detector of WAL that grows without being archived', () => {
  it('finds nothing where nothing was seen, and where all is archived', () => {
    expect(detect([])).toEqual({ findings: [], others: [] })
    expect(findingsIn(WELL, WELL)).toEqual([])
  })

  it('does not take what has only just been finished for a stall, nor what is stored and not yet acknowledged', () => {
    expect(findingsIn(WELL, WAITING)).toEqual([])
    expect(findingsIn(WAITING)).toEqual([])
    expect(findingsIn({ ...WAITING, stored: [1, 2, 3, 4, 5] }, { ...WAITING, stored: [1, 2, 3, 4, 5] })).toEqual([])
  })

  it('finds nothing while one segment after another is stored, however many wait', () => {
    const moving = { ...WAITING, current: 9, acknowledged: 4, stored: [1, 2, 3, 4], ready: [5, 6, 7, 8] }
    expect(findingsIn(WAITING, moving)).toEqual([])
    // A file that is no segment, such as a history.
    expect(findingsIn(WAITING, { ...WAITING, archiver: { archivedCount: 4 } })).toEqual([])
  })

  it('says what is lacking, why, how much has been written, and how far one can come back', () => {
    const complaint = 'archive command failed with exit code 1 (scp: timeout)'
    const [finding] = findingsIn({ ...WELL, atSeconds: 10 }, { ...WAITING, complaint, atSeconds: 12.5 })
    expect(finding).toMatchObject({ cause: 'command-failing', complaint, blocks: expect.stringContaining('recovery') })
    expect(finding?.lacking.map(String)).toEqual([`${name(4)}..${name(5)} (2)`])
    expect(String(finding?.recoverableTo)).toBe('0/4000000')
    expect(finding?.sentence).toBe(
      `at 2026-01-01T12:00:00.000Z, the archive_command fails: ${complaint}; finished and not in the archive: ${name(4)}..${name(5)} (2); pg_wal holds 160.0 MiB (+0.0 MiB), 32.0 MiB of WAL written in 2.5 s; one can come back to 0/4000000 at the most`,
    )
  })

  it('does not say how far one can come back where the archive is empty', () => {
    const [finding] = findingsIn({ current: 6, ready: [4, 5], archiver: { hasFailedLast: true } })
    expect(finding?.sentence).toMatch(/; no segment is seen in the archive, to come back with$/)
  })

  it('blocks the same thing whatever the cause', () => {
    const blocks = new Set(
      [
        { complaint: 'archive command failed with exit code 127' },
        { archiver: { isRunning: false } },
        { archiver: { hasFailedLast: true } },
      ].flatMap(more => findingsIn({ ...WAITING, ...more }).map(finding => finding.blocks)),
    )
    expect(blocks.size).toBe(1)
  })
})

describe('the cause', () => {
  test.each([
    ['command-failing', 'archive command failed with exit code 1'],
    ['command-failing', 'archive command was terminated by signal 9: Killed'],
    ['archive-full', "archive command failed with exit code 1 (cp: error writing '/a/b': No space left on device)"],
    ['archive-full', 'archive command failed with exit code 1 (mv: Disk quota exceeded)'],
    ['archive-read-only', "archive command failed with exit code 1 (cp: cannot create '/a/b': Read-only file system)"],
    ['archive-read-only', "archive command failed with exit code 1 (cp: cannot create '/a/b': Permission denied)"],
  ])('is %s where the archiver complains: %s', (cause, complaint) => {
    expect(causesIn({ ...WAITING, complaint })).toEqual([cause])
    // The archiver may have ended by it.
    expect(causesIn({ ...WAITING, complaint, archiver: { isRunning: false } })).toEqual([cause])
  })

  it('is a failing command where the log is not to be had, as far as the server counts it', () => {
    expect(causesIn({ ...WAITING, archiver: { hasFailedLast: true, failedCount: 1 } })).toEqual(['command-failing'])
    expect(causesIn({ ...WAITING, archiver: { failedCount: 1 } })).toEqual([])
  })

  it('is that the name of a segment is taken, where the archiver fails at it for longer than a moment', () => {
    const failing = { hasFailedLast: true, lastFailed: name(4) }
    const complaint = `archive command failed with exit code 1 (${name(4)} is in the archive already)`
    const taken = { ...WAITING, stored: [1, 2, 3, 4], archiver: failing, complaint }
    expect(causesIn(taken)).toEqual(['command-failing'])
    const [finding] = findingsIn(taken, taken)
    expect(finding).toMatchObject({ cause: 'conflicting-segment', complaint })
    expect(finding?.lacking.map(String)).toEqual([`${name(4)}..${name(5)} (2)`])
    expect(String(finding?.recoverableTo)).toBe('0/4000000')
    expect(finding?.sentence).toContain(`as this server wrote it: ${name(4)}..${name(5)} (2);`)
    // Nothing else of this server's has to be missing.
    const all = { ...taken, stored: [1, 2, 3, 4, 5, 6, 7] }
    expect(causesIn(all, all)).toEqual(['conflicting-segment'])
  })

  it('is not that a name is taken where the failure was of another segment, is over, or only just behind', () => {
    const stored = { ...WAITING, stored: [1, 2, 3, 4] }
    for (const archiver of [
      { hasFailedLast: true, lastFailed: name(3) },
      { hasFailedLast: false, lastFailed: name(4) },
    ])
      expect(causesIn({ ...stored, archiver }, { ...stored, archiver })).not.toContain('conflicting-segment')
    const failing = { hasFailedLast: true, lastFailed: name(4) }
    expect(causesIn({ ...WAITING, archiver: failing }, { ...stored, archiver: failing })).toEqual(['command-failing'])
  })

  it('is an archiver that is not there', () => {
    expect(causesIn({ ...WAITING, archiver: { isRunning: false } })).toEqual(['archiver-not-running'])
  })

  it('is a command that hangs, though nothing has failed', () => {
    const hanging = { ...WAITING, archiver: { isInCommand: true } }
    expect(causesIn(hanging)).toEqual([])
    expect(causesIn(hanging, { ...hanging, current: 7, ready: [4, 5, 6] })).toEqual(['command-hanging'])
  })

  it('is a command that hangs, though one failed before the first look, unless one fails meanwhile', () => {
    const failed = { hasFailedLast: true, failedCount: 3 }
    const hanging = { ...WAITING, archiver: { ...failed, isInCommand: true } }
    expect(causesIn(hanging)).toEqual(['command-failing'])
    expect(causesIn(hanging, hanging, hanging)).toEqual(['command-hanging'])
    expect(causesIn({ ...WAITING, archiver: failed }, hanging, hanging)).toEqual(['command-failing'])
    const again = { ...WAITING, archiver: { ...hanging.archiver, failedCount: 4 } }
    expect(causesIn(hanging, hanging, again)).toEqual(['command-failing'])
  })

  it('is that nothing was ever archived', () => {
    const never = { current: 6, ready: [1, 2, 3, 4, 5] }
    expect(causesIn(never, never)).toEqual(['never-archived'])
  })

  it('is not known where an archiver that has archived does nothing', () => {
    expect(causesIn(WAITING, WAITING)).toEqual(['unexplained'])
  })

  it('is that the server does not archive, with and without .ready files', () => {
    const off = { archiver: { isConfigured: false, isRunning: false } }
    expect(causesIn({ ...WAITING, ...off })).toEqual(['not-configured'])
    expect(findingsIn({ ...WAITING, ...off, ready: [] })[0]?.lacking.map(String)).toEqual([
      `${name(4)}..${name(5)} (2)`,
    ])
    expect(causesIn({ ...WELL, ...off })).toEqual([])
  })
})

describe('a command that lies', () => {
  it('is found by looking into the archive, however healthy the server looks', () => {
    const [finding] = findingsIn(WELL, { ...WELL, current: 7, acknowledged: 6 })
    expect(finding?.cause).toBe('command-lying')
    expect(finding?.lacking.map(String)).toEqual([`${name(4)}..${name(6)} (3)`])
  })

  it('is found at the first look, where the archive ends before what the server calls archived', () => {
    expect(causesIn({ ...WELL, acknowledged: 5, current: 6 })).toEqual(['command-lying'])
    expect(causesIn({ current: 6, acknowledged: 5 })).toEqual(['command-lying'])
  })

  it('is found for those that it stored empty, in the middle too, and in spite of a complaint', () => {
    const some = { ...WELL, current: 8, acknowledged: 7, stored: [1, 2, 3, 4, 6, 7], empty: [5] }
    const [finding] = findingsIn(WELL, { ...some, complaint: 'archive command failed with exit code 1' })
    expect(finding).toMatchObject({ cause: 'command-lying', complaint: undefined })
    expect(finding?.lacking.map(String)).toEqual([name(5)])
  })

  it('is found from the first segment on, where nothing was archived before', () => {
    const first = { current: 2 }
    expect(findingsIn(first, { current: 4, acknowledged: 3, stored: [3] })[0]?.lacking.map(String)).toEqual([name(2)])
    const waiting = { current: 3, ready: [1, 2] }
    expect(findingsIn(waiting, { current: 4, acknowledged: 3, stored: [2, 3] })[0]?.lacking.map(String)).toEqual([
      name(1),
    ])
  })

  it('is not one that stored what somebody then took away, nor one of before the first look', () => {
    expect(findingsIn(WELL, { ...WELL, stored: [1, 3] })).toEqual([])
    expect(findingsIn(WELL, { ...WELL, stored: [1, 2] })).toEqual([])
    expect(findingsIn({ ...WELL, stored: [1, 3] })).toEqual([])
  })

  it('is not one that has not come to a segment yet, nor one of the timeline before', () => {
    const out = { ...WELL, current: 6, acknowledged: 5, stored: [1, 2, 3, 5], ready: [4] }
    expect(findingsIn(WELL, out)).toEqual([])
    expect(findingsIn({ ...WELL, timeline: 2, acknowledged: 5 })).toEqual([])
  })
})

describe('growth for another reason', () => {
  const others = (...seen: Seen[]) => detect(seen.map(sample)).others

  it('is a replication slot, by its name', () => {
    const slot = { name: 'abandoned', isActive: false, restartLsn: Lsn.parse('0/1000028') }
    const seen = { ...WELL, slots: [slot] }
    expect(others(seen)).toMatchObject([{ kind: 'replication-slot', bytes: 3 * SIZE + 96 }])
    expect(others(seen)[0]?.sentence).toMatch(/'abandoned' holds 48\.0 MiB of WAL back, and nobody reads from it/)
    expect(others({ ...seen, slots: [{ ...slot, isActive: true }] })[0]?.sentence).toMatch(/reads too slowly/)
    expect(others({ ...seen, slots: [{ ...slot, restartLsn: Lsn.parse('0/4000028') }] })).toEqual([])
    expect(findingsIn(seen, seen)).toEqual([])
  })

  it('is wal_keep_size, a long checkpoint, a load; the largest first', () => {
    const seen: Seen = { ...WELL, current: 8, stored: [1, 2, 3, 4, 5, 6, 7], acknowledged: 7, keepSegments: 2, redo: 5 }
    expect(others(WELL, seen).map(({ kind, bytes }) => [kind, bytes])).toEqual([
      ['load', 4 * SIZE],
      ['checkpoint', 3 * SIZE + 96],
      ['wal-keep-size', 2 * SIZE],
    ])
    expect(findingsIn(WELL, seen)).toEqual([])
  })

  it('is stated beside an archive failure, too', () => {
    const { findings, others } = detect([WAITING, WAITING].map(seen => sample({ ...seen, keepSegments: 2 })))
    expect([findings.length, others.map(({ kind }) => kind)]).toEqual([1, ['wal-keep-size']])
  })
})

describe('on any course of events', () => {
  const event = fc.record({
    /** Segments that are finished before the look. */
    finished: fc.nat(3),
    /** How many the archiver gets to, and what it does with them. */
    attempts: fc.nat(3),
    does: fc.constantFrom('store', 'store', 'lie', 'fail', 'hang', 'be gone'),
    /** Another server stores the segment that comes next, before ours does. */
    isForestalled: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
    /** Somebody takes a segment out of the archive again. */
    taken: fc.option(fc.nat(5), { nil: undefined, freq: 4 }),
  })

  type Truth = Record<'isLying' | 'isWaiting' | 'isTaken' | 'hasFailed' | 'hasStalled' | 'isNew', boolean>

  /** Of all that is so at a look, what is to be named. */
  function trueCause(truth: Truth & { does: string }) {
    if (truth.isLying) return 'command-lying'
    if (truth.isTaken) return 'conflicting-segment'
    if (!truth.isWaiting) return undefined
    if (truth.hasFailed) return 'command-failing'
    if (truth.does === 'be gone') return 'archiver-not-running'
    if (!truth.hasStalled) return undefined
    if (truth.does === 'hang') return 'command-hanging'
    return truth.isNew ? 'never-archived' : 'unexplained'
  }

  it('finds just what has not come into the archive, and why', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 12 }), events => {
        // What is true, segment by segment: nothing of it is concluded from a sample.
        const finished: number[] = []
        const acknowledged: number[] = []
        const everSeen = new Set<number>()
        const stored = new Set<number>()
        /** Of what is stored: another server's. */
        const foreign = new Set<number>()
        let lastFailed: number | undefined
        let hasFailed = false
        let headBefore: number | undefined
        let takenBefore: number | undefined
        const samples = [sample({ current: 1 })]
        for (const { finished: count, attempts, does, isForestalled, taken } of events) {
          for (let index = 0; index < count; index++) finished.push(finished.length + 1)
          const next = acknowledged.length + 1
          if (isForestalled && !stored.has(next)) {
            stored.add(next)
            foreign.add(next)
          }
          const queue = finished.slice(acknowledged.length)
          const reached = does === 'store' || does === 'lie' ? queue.slice(0, attempts) : []
          const refused = does === 'store' ? reached.findIndex(number => foreign.has(number)) : -1
          const done = refused < 0 ? reached : reached.slice(0, refused)
          acknowledged.push(...done)
          if (does === 'store') for (const number of done) stored.add(number)
          if (done.length > 0) hasFailed = false
          const failedAt = does === 'fail' ? queue[0] : reached[refused]
          if (failedAt !== undefined) {
            hasFailed = true
            lastFailed = failedAt
          }
          const takeable = [...stored].filter(number => !done.includes(number))
          const gone = taken === undefined ? undefined : takeable[taken]
          if (gone !== undefined) {
            stored.delete(gone)
            foreign.delete(gone)
          }
          for (const number of stored) everSeen.add(number)
          const ready = finished.slice(acknowledged.length)
          const waiting = ready.filter(number => !stored.has(number))
          samples.push(
            sample({
              current: finished.length + 1,
              stored: [...stored],
              ready,
              acknowledged: acknowledged.at(-1),
              archiver: {
                isRunning: does !== 'be gone',
                isInCommand: does === 'hang' && ready.length > 0,
                hasFailedLast: hasFailed,
                lastFailed: lastFailed === undefined ? undefined : name(lastFailed),
              },
              complaint: hasFailed ? 'archive command failed with exit code 1' : undefined,
            }),
          )

          const lied = acknowledged.filter(number => !everSeen.has(number))
          const isLying = lied.length > 0
          const takenNow = hasFailed && ready[0] === lastFailed && stored.has(lastFailed ?? 0) ? lastFailed : undefined
          const isTaken = takenNow !== undefined && takenNow === takenBefore
          const cause = trueCause({
            does,
            isLying,
            isWaiting: waiting.length > 0,
            isTaken,
            hasFailed,
            hasStalled: done.length === 0 && waiting[0] === headBefore,
            isNew: acknowledged.length === 0,
          })
          headBefore = waiting[0]
          takenBefore = takenNow
          const { findings } = detect(samples)
          expect(findings.map(finding => finding.cause)).toEqual(cause ? [cause] : [])
          const lacking = findings.flatMap(finding =>
            finding.lacking.flatMap(({ first, count }) =>
              Array.from({ length: count }, (_, index) => Number(first.number) + index),
            ),
          )
          expect(lacking).toEqual(cause ? [...lied, ...(isTaken ? ready : waiting)] : [])
        }
      }),
      { numRuns: 500 },
    )
  })
})
