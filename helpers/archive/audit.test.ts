import path from 'node:path'
import { execa } from 'execa'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { historyFile, TimelineHistory } from '../postgres/timeline-history.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import {
  type ArchiveAudit,
  type AuditInput,
  auditArchive,
  type Placement,
  type SegmentStatus,
  statusOf,
} from './audit.ts'
import { ArchiveListing } from './listing.ts'

const SIZE = 1024 * 1024
const segment = (number: number, timeline = 1) => new WalSegment(timeline, BigInt(number), SIZE)
/** The middle of a segment, so that its number says where it is. */
const lsnIn = (number: number) => Lsn.fromBytes(BigInt(number * SIZE + SIZE / 2))
const startOf = (number: number) => Lsn.fromBytes(BigInt(number * SIZE))
const listed = (whole: readonly WalSegment[], short: readonly WalSegment[] = []) =>
  ArchiveListing.of(
    [
      ...whole.map(({ name }) => ({ path: name, sizeBytes: SIZE })),
      ...short.map(({ name }) => ({ path: name, sizeBytes: 7 })),
    ],
    SIZE,
  )
const numbers = (from: number, to: number, without: readonly number[] = []) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index).filter(number => !without.includes(number))
const all = (from: number, to: number, without: readonly number[] = []) =>
  numbers(from, to, without).map(number => segment(number))

/** A backup from within segment 10 to within segment 12, and a target in segment 20. */
const backup = { timeline: 1, startLsn: lsnIn(10), stopLsn: lsnIn(12) }
const target = { lsn: lsnIn(20) }
const audit = (listing: ArchiveListing, more: Partial<AuditInput> = {}) =>
  auditArchive({ listing, backup, target, ...more })
const gapsOf = ({ gaps }: ArchiveAudit) =>
  gaps.map(({ range, status, placement }) => `${placement}: ${status} ${range}`)
const name = (number: number, timeline = 1) => segment(number, timeline).name

describe('the audit of an archive', () => {
  it('finds nothing wrong where every segment is there', () => {
    expect(audit(listed(all(5, 25)))).toMatchObject({
      verdict: 'recoverable',
      gaps: [],
      timeline: 1,
      recoverableTo: startOf(26),
    })
  })

  it('names a segment lost between backup and target, which blocks it', () => {
    const result = audit(listed(all(5, 25, [15])))
    expect(result).toMatchObject({ verdict: 'blocked', recoverableTo: startOf(15) })
    expect(gapsOf(result)).toEqual([`blocks-target: lost ${name(15)}`])
  })

  it('takes the segment that holds the target for needed, and the one after it for not', () => {
    expect(audit(listed(all(5, 25, [20]))).verdict).toBe('blocked')
    const beyond = audit(listed(all(5, 25, [21])))
    expect(beyond).toMatchObject({ verdict: 'recoverable', recoverableTo: startOf(21) })
    expect(gapsOf(beyond)).toEqual([`beyond-target: lost ${name(21)}`])
  })

  it('needs the segment that begins at the target, since the record there must be read', () => {
    expect(audit(listed(all(5, 19)), { target: { lsn: startOf(20) } }).verdict).toBe('blocked')
  })

  it('does not need the segment that begins where the backup ends', () => {
    expect(
      audit(listed(all(10, 12)), { backup: { ...backup, stopLsn: startOf(13) }, target: { lsn: lsnIn(12) } }).verdict,
    ).toBe('recoverable')
  })

  it.each([10, 11, 12])('finds no consistent point without segment %i of the backup', lost => {
    const result = audit(listed(all(5, 25, [lost])))
    expect(result).toMatchObject({ verdict: 'no-consistent-point', recoverableTo: undefined })
    expect(gapsOf(result)).toEqual([`before-consistency: lost ${name(lost)}`])
  })

  it('states a gap before the backup, which is harmless', () => {
    const result = audit(listed(all(5, 25, [7, 8])))
    expect(result.verdict).toBe('recoverable')
    expect(gapsOf(result)).toEqual([`before-backup: lost ${name(7)}..${name(8)} (2)`])
  })

  it('cuts one gap where what it blocks changes', () => {
    expect(gapsOf(audit(listed([...all(5, 8), ...all(24, 25)])))).toEqual([
      `before-backup: lost ${name(9)}`,
      `before-consistency: lost ${name(10)}..${name(12)} (3)`,
      `blocks-target: lost ${name(13)}..${name(20)} (8)`,
      `beyond-target: lost ${name(21)}..${name(23)} (3)`,
    ])
  })

  it('tells a segment of a wrong size from a lost one', () => {
    const result = audit(listed(all(5, 25, [15, 16]), [segment(16)]))
    expect(gapsOf(result)).toEqual([`blocks-target: lost ${name(15)}`, `blocks-target: damaged ${name(16)}`])
    expect(statusOf(result, segment(16))).toBe('damaged')
    expect(statusOf(result, segment(15))).toBe('lost')
    expect(statusOf(result, segment(14))).toBe('found')
    expect(statusOf(result, segment(26))).toBeUndefined()
  })

  it('of an empty archive misses everything that is known to be needed', () => {
    const result = audit(listed([]))
    expect(result).toMatchObject({ verdict: 'no-consistent-point', recoverableTo: undefined })
    expect(result.gaps.map(gap => gap.range.count)).toEqual([3, 8])
  })

  it.each<[string, (name: string) => { path: string; sizeBytes?: number }]>([
    ['in a folder of it', name => ({ path: `archive_status/${name}` })],
    ['in lower case', name => ({ path: name.toLowerCase() })],
    ['with one digit less', name => ({ path: name.slice(1) })],
    ['with one digit more', name => ({ path: `0${name}` })],
    ['still being copied under another name', name => ({ path: `.${name}` })],
    ['with an ending of somebody', name => ({ path: `${name}.ok` })],
    ['as .partial', name => ({ path: `${name}.partial` })],
    ['with the size of another cluster', name => ({ path: name, sizeBytes: 16 * SIZE })],
    ['of another timeline', name => ({ path: name.replace(/^0{7}1/, '00000007') })],
  ])('does not take what is there %s for the segments', (_, misplace) => {
    // Those alone whose names have letters.
    const files = all(10, 15).map(({ name }) => ({ sizeBytes: SIZE, ...misplace(name) }))
    const result = audit(ArchiveListing.of(files, SIZE), { target: { lsn: lsnIn(14) } })
    expect(result).toMatchObject({ verdict: 'no-consistent-point', recoverableTo: undefined })
  })

  it('without a target wants the end of the archive, so any gap blocks it', () => {
    expect(gapsOf(audit(listed(all(10, 25, [24])), { target: 'latest' }))).toEqual([`blocks-target: lost ${name(24)}`])
    expect(audit(listed(all(10, 25)), { target: 'latest' })).toMatchObject({
      verdict: 'recoverable',
      recoverableTo: startOf(26),
    })
  })

  it('is not made slow or large by a segment that lies absurdly far ahead', () => {
    const result = audit(listed([...all(10, 20), new WalSegment(1, 1n << 43n, SIZE)]))
    expect(result.gaps).toHaveLength(1)
    expect(result.gaps[0]?.range.count).toBe(2 ** 43 - 21)
  })
})

describe('while the primary lives', () => {
  const server = (currentLsn: Lsn, lastArchived?: number) => ({
    timeline: 1,
    currentLsn,
    lastArchived: lastArchived === undefined ? undefined : segment(lastArchived),
  })

  it('what it has completed and not archived is delayed, not lost', () => {
    const result = audit(listed(all(10, 22)), { server: server(lsnIn(25), 22) })
    expect(result).toMatchObject({ verdict: 'recoverable', gaps: [], recoverableTo: startOf(23) })
    expect(statusOf(result, segment(24))).toBe('delayed')
    // Not completed yet.
    expect(statusOf(result, segment(25))).toBeUndefined()
  })

  it('a target that is not archived yet is delayed, even in the segment being written', () => {
    expect(audit(listed(all(10, 19)), { server: server(lsnIn(20), 19) })).toMatchObject({
      verdict: 'delayed',
      gaps: [],
    })
    expect(audit(listed(all(10, 11)), { server: server(lsnIn(20), 11) })).toMatchObject({
      verdict: 'delayed',
      recoverableTo: undefined,
    })
  })

  it('what it says it has archived and is not there is lost at once', () => {
    const result = audit(listed(all(10, 22)), { server: server(lsnIn(25), 24) })
    expect(gapsOf(result)).toEqual([`beyond-target: lost ${name(23)}..${name(24)} (2)`])
  })

  it('a hole with a later segment behind it is lost, whatever it says', () => {
    expect(audit(listed(all(10, 22, [15])), { server: server(lsnIn(25)) }).verdict).toBe('blocked')
  })

  it('a short segment at the end is one being copied until it is acknowledged', () => {
    const listing = listed(all(10, 22), [segment(23)])
    expect(gapsOf(audit(listing, { server: server(lsnIn(25), 22) }))).toEqual([])
    expect(gapsOf(audit(listing, { server: server(lsnIn(25), 23) }))).toEqual([`beyond-target: damaged ${name(23)}`])
    expect(gapsOf(audit(listing))).toEqual([`beyond-target: damaged ${name(23)}`])
  })

  describe('for longer than the lag', () => {
    /** Archived up to 19; 20 to 23 wait, each ten seconds less than the one before. */
    const waiting = (lagSeconds?: number) =>
      audit(listed(all(10, 19)), {
        server: {
          ...server(lsnIn(24), 19),
          ready: [20, 21, 22, 23].map((number, index) => ({ segment: segment(number), secondsAgo: 40 - 10 * index })),
        },
        ...(lagSeconds === undefined ? {} : { lagSeconds }),
      })

    it('what waits is lost, and what has not waited so long is delayed', () => {
      const result = waiting(25)
      expect(result).toMatchObject({ verdict: 'blocked', recoverableTo: startOf(20) })
      expect(gapsOf(result)).toEqual([`blocks-target: lost ${name(20)}`, `beyond-target: lost ${name(21)}`])
      expect([22, 23].map(number => statusOf(result, segment(number)))).toEqual(['delayed', 'delayed'])
    })

    it('is not for exactly as long as that', () => {
      expect(gapsOf(waiting(40))).toEqual([])
      expect(gapsOf(waiting(39.9))).toEqual([`blocks-target: lost ${name(20)}`])
    })

    it('is an hour, unless one says otherwise', () => {
      const verdictAfter = (secondsAgo: number) =>
        audit(listed(all(10, 19)), {
          server: { ...server(lsnIn(21), 19), ready: [{ segment: segment(20), secondsAgo }] },
        }).verdict
      expect([verdictAfter(3600), verdictAfter(3601)]).toEqual(['delayed', 'blocked'])
    })

    it('a short segment is no longer one that is being copied', () => {
      const input = { ...server(lsnIn(25), 22), ready: [{ segment: segment(23), secondsAgo: 60 }] }
      const listing = listed(all(10, 22), [segment(23)])
      expect(gapsOf(audit(listing, { server: input, lagSeconds: 59 }))).toEqual([`beyond-target: damaged ${name(23)}`])
      expect(gapsOf(audit(listing, { server: input, lagSeconds: 60 }))).toEqual([])
    })

    it('nothing is lost that has come, whatever the server knows of it', () => {
      const ready = [20, 21].map(number => ({ segment: segment(number), secondsAgo: 99 }))
      const result = audit(listed(all(10, 21)), { server: { ...server(lsnIn(22), 19), ready }, lagSeconds: 1 })
      expect(result).toMatchObject({ verdict: 'recoverable', gaps: [] })
    })

    it('does not mind how many wait', () => {
      const ready = Array.from({ length: 1_000_000 }, (_, index) => ({ segment: segment(20 + index), secondsAgo: 99 }))
      const result = audit(listed(all(10, 19)), { server: { ...server(lsnIn(1_000_020), 19), ready }, lagSeconds: 1 })
      expect(result.gaps.map(({ range }) => range.count)).toEqual([1, 999_999])
    })
  })

  it('on another timeline says nothing of this one, where one wants to be on this one', () => {
    const elsewhere = { ...server(lsnIn(40), 30), timeline: 2 }
    expect(audit(listed(all(10, 22)), { server: elsewhere, targetTimeline: 1 })).toMatchObject({
      verdict: 'recoverable',
      gaps: [],
    })
  })
})

describe('across timelines', () => {
  /** Timeline 2 leaves timeline 1 within segment 16. */
  const histories = new Map([[2, TimelineHistory.parse(`1\t${lsnIn(16)}\tno recovery target specified\n`, 2)]])
  const child = (from: number, to: number) => numbers(from, to).map(number => segment(number, 2))

  it('follows the newest, from the segment in which it begins', () => {
    const result = audit(listed([...all(10, 15), ...child(16, 22)]), { histories })
    expect(result).toMatchObject({ verdict: 'recoverable', timeline: 2, recoverableTo: startOf(23) })
    expect(result.statuses.map(({ range }) => String(range))).toEqual([
      `${name(10)}..${name(15)} (6)`,
      `${name(16, 2)}..${name(22, 2)} (7)`,
    ])
  })

  it("does not take the parent's segments for the child's", () => {
    const result = audit(listed([...all(10, 25), ...child(17, 22)]), { histories })
    expect(gapsOf(result)).toEqual([`blocks-target: lost ${name(16, 2)}`])
  })

  it("takes the parent's file for a target in it before the switchpoint", () => {
    const before = { lsn: lsnIn(16).plus(-100n) }
    expect(audit(listed(all(10, 16)), { histories, target: before })).toMatchObject({
      verdict: 'recoverable',
      gaps: [],
    })
    expect(audit(listed([...all(10, 15), ...child(16, 16)]), { histories, target: before })).toMatchObject({
      verdict: 'recoverable',
    })
    expect(audit(listed(all(10, 15)), { histories, target: before })).toMatchObject({ verdict: 'blocked' })
  })

  it('stays on the timeline it is told', () => {
    expect(audit(listed([...all(10, 25), ...child(16, 22)]), { histories, targetTimeline: 1 })).toMatchObject({
      verdict: 'recoverable',
      timeline: 1,
      recoverableTo: startOf(26),
    })
  })

  it('refuses a timeline without its history, and one that does not come from the backup', () => {
    expect(() => audit(listed(all(10, 25)), { histories, targetTimeline: 3 })).toThrow(
      expect.objectContaining({ kind: 'timeline-history-missing' }),
    )
    const late = { timeline: 1, startLsn: lsnIn(17), stopLsn: lsnIn(18) }
    expect(() => audit(listed(all(10, 25)), { histories, backup: late })).toThrow(
      expect.objectContaining({ kind: 'timeline-not-a-child' }),
    )
  })

  describe('to where the living server is', () => {
    const server = (timeline: number, lastArchived?: WalSegment) => ({ timeline, currentLsn: lsnIn(22), lastArchived })
    const both = listed([...all(10, 16), ...child(16, 22)])

    it('finds a history lost as soon as something of its timeline is archived', () => {
      expect(audit(both, { server: server(2) })).toMatchObject({
        verdict: 'blocked',
        timeline: 1,
        gaps: [],
        lostHistories: [{ timeline: 2, status: 'lost' }],
        recoverableTo: startOf(17),
      })
      expect(audit(listed(all(10, 16)), { server: server(2, segment(16, 2)) }).lostHistories).toHaveLength(1)
      expect(audit(both, { histories, server: server(2) })).toMatchObject({ verdict: 'recoverable', lostHistories: [] })
    })

    it('waits for a history as long as nothing of its timeline is archived', () => {
      expect(audit(listed(all(10, 16)), { server: server(2) })).toMatchObject({
        verdict: 'delayed',
        gaps: [],
        lostHistories: [],
      })
    })

    it('waits no longer for a history than for the segments behind it', () => {
      const ready = [{ segment: segment(16, 2), secondsAgo: 60 }]
      const lost = (lagSeconds: number) =>
        audit(listed(all(10, 16)), { server: { ...server(2), ready }, lagSeconds }).lostHistories
      expect(lost(60)).toEqual([])
      expect(lost(59)).toEqual([{ timeline: 2, status: 'lost' }])
    })

    it('tells a damaged one from a lost one, and names all that are missing up to the newest archived', () => {
      const later = listed([...all(10, 16), ...child(16, 18), segment(18, 4)])
      expect(audit(later, { damagedHistories: [3], server: server(5) }).lostHistories).toEqual([
        { timeline: 2, status: 'lost' },
        { timeline: 3, status: 'damaged' },
        { timeline: 4, status: 'lost' },
      ])
    })

    it('needs no history of the timeline that the backup is on', () => {
      const onSecond = { ...backup, timeline: 2, startLsn: lsnIn(17), stopLsn: lsnIn(18) }
      expect(audit(both, { backup: onSecond, server: server(2) })).toMatchObject({
        verdict: 'recoverable',
        lostHistories: [],
      })
    })

    it('does not hide a gap in the part of the way that is known', () => {
      const result = audit(listed([...all(10, 16, [11, 14]), ...child(16, 22)]), { server: server(2) })
      expect(result.verdict).toBe('no-consistent-point')
      expect(gapsOf(result)).toEqual([`before-consistency: lost ${name(11)}`, `blocks-target: lost ${name(14)}`])
    })
  })

  it('leaves out a timeline that was left before it began', () => {
    // Timeline 3 says that it left timeline 2 at a point before timeline 2 had begun.
    const odd = new Map([...histories, [3, TimelineHistory.parse(`1\t${lsnIn(16)}\n2\t${lsnIn(14)}\n`, 3)] as const])
    const result = audit(listed([...all(10, 13), ...numbers(14, 20).map(number => segment(number, 3))]), {
      histories: odd,
    })
    expect(result).toMatchObject({ verdict: 'recoverable', timeline: 3 })
  })
})

/** Slow and obvious: asks of each segment on its own. */
function model(
  numbersFound: Set<number>,
  numbersShort: Set<number>,
  first: number,
  last: number,
  wanted: number,
  server: { completed: number; acknowledged: number } | undefined,
) {
  const present = [...numbersFound, ...numbersShort]
  const end = Math.max(last, wanted, ...present, server?.completed ?? 0, server?.acknowledged ?? 0)
  const rows: { number: number; status: SegmentStatus; placement: Placement | undefined }[] = []
  for (let number = Math.min(first, ...present); number <= end; number++) {
    const mayCome =
      server !== undefined && number > server.acknowledged && ![...numbersFound].some(found => found > number)
    const status = numbersFound.has(number)
      ? 'found'
      : mayCome
        ? 'delayed'
        : numbersShort.has(number)
          ? 'damaged'
          : 'lost'
    const placement =
      number < first
        ? 'before-backup'
        : number <= last
          ? 'before-consistency'
          : number <= wanted
            ? 'blocks-target'
            : 'beyond-target'
    rows.push({ number, status, placement: status === 'lost' || status === 'damaged' ? placement : undefined })
  }
  let readable = first
  while (numbersFound.has(readable)) readable++
  return { rows, recoverableTo: readable > last ? readable * SIZE : undefined }
}

describe('on archives with random holes', () => {
  const cases = fc.record({
    present: fc.array(fc.constantFrom('whole', 'whole', 'whole', 'short', 'none'), { maxLength: 40 }),
    first: fc.integer({ min: 1, max: 30 }),
    length: fc.integer({ min: 0, max: 4 }),
    wanted: fc.integer({ min: 1, max: 45 }),
    server: fc.option(
      fc.record({ completed: fc.integer({ min: 0, max: 50 }), acknowledged: fc.integer({ min: -1, max: 50 }) }),
      { nil: undefined },
    ),
  })

  it('says of every segment what the slow model says', () => {
    fc.assert(
      fc.property(cases, ({ present, first, length, wanted, server }) => {
        const of = (kind: string) => present.flatMap((one, number) => (one === kind ? [number] : []))
        const [whole, short] = [of('whole'), of('short')]
        const last = first + length
        const expected = model(new Set(whole), new Set(short), first, last, wanted, server)
        const result = auditArchive({
          listing: listed(
            whole.map(number => segment(number)),
            short.map(number => segment(number)),
          ),
          backup: { timeline: 1, startLsn: lsnIn(first), stopLsn: lsnIn(last) },
          target: { lsn: lsnIn(wanted) },
          ...(server
            ? {
                server: {
                  timeline: 1,
                  currentLsn: lsnIn(server.completed + 1),
                  lastArchived: server.acknowledged < 0 ? undefined : segment(server.acknowledged),
                },
              }
            : {}),
        })
        for (const { number, status, placement } of expected.rows) {
          expect([number, statusOf(result, segment(number))]).toEqual([number, status])
          const gaps = result.gaps.filter(gap => gap.range.includes(segment(number)))
          expect(gaps.map(gap => gap.placement)).toEqual(placement ? [placement] : [])
        }
        expect(result.statuses.reduce((sum, { range }) => sum + range.count, 0)).toBe(expected.rows.length)
        expect(result.recoverableTo?.bytes).toBe(
          expected.recoverableTo === undefined ? undefined : BigInt(expected.recoverableTo),
        )
        const blocks = (wantedPlacement: Placement) => expected.rows.some(row => row.placement === wantedPlacement)
        const waits = expected.rows.some(row => row.status === 'delayed' && row.number <= Math.max(last, wanted))
        expect(result.verdict).toBe(
          blocks('before-consistency')
            ? 'no-consistent-point'
            : blocks('blocks-target')
              ? 'blocked'
              : waits
                ? 'delayed'
                : 'recoverable',
        )
      }),
      { numRuns: 500 },
    )
  })

  describe('and timelines, damages, several archives and a server that lags', () => {
    const files = (...states: ('whole' | 'short' | 'none')[]) =>
      // Of each timeline in turn, what there is of its segments.
      fc.array(fc.array(fc.constantFrom(...states), { minLength: 16, maxLength: 16 }), { minLength: 4, maxLength: 4 })
    const place = (min: number, max: number) =>
      fc.record({ number: fc.integer({ min, max }), offset: fc.integer({ min: 1, max: SIZE - 1 }) })
    const worlds = fc.record({
      forks: fc.uniqueArray(place(8, 12), { maxLength: 3, selector: ({ number, offset }) => number * SIZE + offset }),
      first: fc.integer({ min: 3, max: 6 }),
      wanted: fc.option(place(7, 14), { nil: undefined }),
      archives: fc.tuple(
        files('whole', 'whole', 'whole', 'whole', 'whole', 'whole', 'none', 'short'),
        files('whole', 'none', 'none', 'none', 'none', 'none', 'short'),
      ),
      histories: fc.array(fc.constantFrom('whole', 'whole', 'whole', 'whole', 'damaged', 'lost'), {
        minLength: 4,
        maxLength: 4,
      }),
      server: fc.option(
        fc.record({
          isOnNewest: fc.constantFrom(true, true, false),
          current: fc.integer({ min: 8, max: 16 }),
          acknowledged: fc.option(fc.integer({ min: 0, max: 15 }), { nil: undefined }),
          ready: fc.uniqueArray(
            fc.record({ number: fc.integer({ min: 5, max: 15 }), secondsAgo: fc.integer({ min: 0, max: 9 }) }),
            {
              maxLength: 4,
              selector: ({ number }) => number,
            },
          ),
        }),
        { nil: undefined },
      ),
      lagSeconds: fc.integer({ min: 0, max: 9 }),
      isNewestStored: fc.constantFrom(true, true, true, false),
    })

    it('says what one sees who looks up each segment on its own', () => {
      fc.assert(
        fc.property(worlds, world => {
          const { first, wanted, lagSeconds } = world
          const at = ({ number, offset }: { number: number; offset: number }) =>
            Lsn.fromBytes(BigInt(number * SIZE + offset))
          const begins = world.forks.toSorted((a, b) => Lsn.compare(at(a), at(b)))
          const newestThereIs = begins.length + 1
          const lines = begins.map((fork, index) => `${index + 1}\t${at(fork)}\n`)
          const stateOf = (timeline: number) => (timeline > newestThereIs ? 'lost' : world.histories[timeline - 2])
          const timelines = numbers(2, newestThereIs)
          const intact = timelines.filter(timeline => stateOf(timeline) === 'whole')
          const damaged = timelines.filter(timeline => stateOf(timeline) === 'damaged')
          const server = world.server && {
            timeline: world.server.isOnNewest ? newestThereIs : 1,
            current: world.server.current,
            acknowledged: world.server.acknowledged ?? -1,
            ready: world.server.ready.toSorted((a, b) => a.number - b.number),
          }
          const overdue = Math.max(
            -1,
            ...(server?.ready ?? []).flatMap(one => (one.secondsAgo > lagSeconds ? [one.number] : [])),
          )

          const stored = (archive: (typeof world.archives)[0], timeline: number, number: number) =>
            (world.isNewestStored || timeline < newestThereIs ? archive[timeline - 1]?.[number] : undefined) ?? 'none'
          // The first archive that has it decides.
          const found = (timeline: number, number: number) =>
            world.archives.map(archive => stored(archive, timeline, number)).find(state => state !== 'none') ?? 'none'
          // As far as one history after the other is there.
          let timeline = 1
          while (intact.includes(timeline + 1)) timeline++
          const isOutOfReach = server !== undefined && server.timeline > timeline
          const target = isOutOfReach ? undefined : wanted
          const followed = begins.slice(0, timeline - 1)
          // The newest timeline that has begun when the segment ends.
          const usual = (number: number) => followed.filter(begin => begin.number <= number).length + 1
          const needed = (number: number) => {
            if (!target || number !== target.number) return usual(number)
            const parent = followed.filter(begin => at(begin).isAtOrBefore(at(target))).length + 1
            return found(usual(number), number) !== 'whole' && found(parent, number) === 'whole'
              ? parent
              : usual(number)
          }
          const stateAt = (number: number) => found(needed(number), number)
          const there = numbers(0, 15).filter(number => stateAt(number) !== 'none')
          const stop = first + 1
          const living = server?.timeline === timeline ? server : undefined
          const delayedFrom = living
            ? 1 + Math.max(-1, overdue, living.acknowledged, ...there.filter(number => stateAt(number) === 'whole'))
            : Number.POSITIVE_INFINITY
          const end = Math.max(
            stop,
            target?.number ?? 0,
            ...there,
            ...(living ? [living.acknowledged, living.current - 1] : []),
          )
          const statusAt = (number: number): SegmentStatus => {
            if (stateAt(number) === 'whole') return 'found'
            if (number >= delayedFrom) return 'delayed'
            return stateAt(number) === 'short' ? 'damaged' : 'lost'
          }
          const placementAt = (number: number): Placement => {
            if (number < first) return 'before-backup'
            if (number <= stop) return 'before-consistency'
            return !target || number <= target.number ? 'blocks-target' : 'beyond-target'
          }
          const way = numbers(Math.min(first, ...there), end)

          const result = auditArchive({
            listing: ArchiveListing.of(
              [
                ...[...intact, ...damaged].map(one => ({ path: historyFile(one), sizeBytes: 40 })),
                ...world.archives.flatMap(archive =>
                  numbers(1, newestThereIs).flatMap(timeline =>
                    numbers(0, 15).flatMap(number => {
                      const state = stored(archive, timeline, number)
                      const sizeBytes = state === 'whole' ? SIZE : 7
                      return state === 'none' ? [] : [{ path: name(number, timeline), sizeBytes }]
                    }),
                  ),
                ),
              ],
              SIZE,
            ),
            histories: new Map(
              intact.map(one => [one, TimelineHistory.parse(lines.slice(0, one - 1).join(''), one)] as const),
            ),
            damagedHistories: damaged,
            backup: { timeline: 1, startLsn: lsnIn(first), stopLsn: lsnIn(stop) },
            target: wanted ? { lsn: at(wanted) } : 'latest',
            lagSeconds,
            ...(server
              ? {
                  server: {
                    timeline: server.timeline,
                    currentLsn: lsnIn(server.current),
                    lastArchived: server.acknowledged < 0 ? undefined : segment(server.acknowledged, server.timeline),
                    ready: server.ready.map(({ number, secondsAgo }) => ({
                      segment: segment(number, server.timeline),
                      secondsAgo,
                    })),
                  },
                }
              : {}),
          })

          expect(result.timeline).toBe(timeline)
          for (const number of way) {
            const one = segment(number, needed(number))
            expect([number, statusOf(result, one)]).toEqual([number, statusAt(number)])
            const gaps = result.gaps.filter(({ range }) => range.includes(one))
            const isGap = ['lost', 'damaged'].includes(statusAt(number))
            expect(gaps.map(({ status, placement }) => [status, placement])).toEqual(
              isGap ? [[statusAt(number), placementAt(number)]] : [],
            )
          }
          expect(result.statuses.reduce((sum, { range }) => sum + range.count, 0)).toBe(way.length)
          const cut = numbers(first, 16).find(number => number === 16 || stateAt(number) !== 'whole') ?? 16
          expect(result.recoverableTo?.bytes).toBe(cut > stop ? BigInt(cut * SIZE) : undefined)

          const newestDue = Math.max(
            ...numbers(1, newestThereIs).filter(one => numbers(0, 15).some(number => found(one, number) === 'whole')),
            ...intact,
            ...damaged,
            ...(server && (server.acknowledged >= 0 || overdue >= 0) ? [server.timeline] : []),
          )
          const lost = isOutOfReach ? numbers(timeline + 1, newestDue).filter(one => !intact.includes(one)) : []
          expect(result.lostHistories).toEqual(
            lost.map(one => ({ timeline: one, status: damaged.includes(one) ? 'damaged' : 'lost' })),
          )
          const blocks = (placement: Placement) => result.gaps.some(gap => gap.placement === placement)
          const isDelayed = way.some(
            number => number <= Math.max(stop, target?.number ?? 0) && statusAt(number) === 'delayed',
          )
          expect(result.verdict).toBe(
            blocks('before-consistency')
              ? 'no-consistent-point'
              : isOutOfReach
                ? lost.length > 0
                  ? 'blocked'
                  : 'delayed'
                : blocks('blocks-target')
                  ? 'blocked'
                  : isDelayed
                    ? 'delayed'
                    : 'recoverable',
          )
        }),
        { numRuns: 1000 },
      )
    })
  })
})

/** In a process of its own, started as the commands are: what this one has loaded and thrown away would count as well. */
async function auditAMillion(every: number): Promise<{ seconds: number; megabytes: number; gaps: number }> {
  const script = `
    import { auditArchive } from './helpers/archive/audit.ts'
    import { ArchiveListing } from './helpers/archive/listing.ts'
    import { Lsn } from './helpers/postgres/lsn.ts'
    const digits = number => number.toString(16).toUpperCase().padStart(8, '0')
    function* files() {
      for (let number = 0; number < 1e6; number++)
        if ((number + 1) % ${every} !== 0) yield { path: '00000001' + digits(number >> 12) + digits(number & 4095), sizeBytes: ${SIZE} }
    }
    const lsnIn = number => Lsn.fromBytes(BigInt((number + 0.5) * ${SIZE}))
    const backup = { timeline: 1, startLsn: lsnIn(10), stopLsn: lsnIn(12) }
    const listing = ArchiveListing.of(files(), ${SIZE})
    const startedAt = process.cpuUsage()
    const { gaps } = auditArchive({ listing, backup, target: { lsn: lsnIn(999_998) } })
    const { user, system } = process.cpuUsage(startedAt)
    const megabytes = process.resourceUsage().maxRSS / 1000
    console.log(JSON.stringify({ seconds: (user + system) / 1e6, megabytes, gaps: gaps.length }))`
  const { stdout } = await execa(
    process.execPath,
    [
      '--max-semi-space-size=2',
      '--import',
      './helpers/run/load-typescript.js',
      '--input-type=module',
      '--eval',
      script,
    ],
    { cwd: path.resolve(import.meta.dirname, '../..') },
  )
  return JSON.parse(stdout)
}

it.each([
  ['without a hole', Number.POSITIVE_INFINITY, 0],
  ['with a hole at every seventh', 7, 142_857],
])('a million segments are audited within two seconds of processor time and 300 MB, %s', async (_, every, gaps) => {
  const cost = await auditAMillion(every)
  expect(cost.gaps).toBe(gaps)
  // Not by the clock: how busy the machine is with something else must not decide.
  expect(cost.seconds).toBeLessThan(2)
  expect(cost.megabytes).toBeLessThan(300)
})
