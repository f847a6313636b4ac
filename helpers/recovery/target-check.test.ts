import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ArchiveListing } from '../archive/listing.ts'
import type { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import { TimelineHistory } from '../postgres/timeline-history.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { type RecoveryTarget, targetSettings } from './recovery-target.ts'
import { type CheckedRecovery, checkTarget, type Reach } from './target-check.ts'

const SIZE = 2 ** 20
const NOW = '2026-11-23T12:00:00.000Z'

const segment = (timeline: number, number: number) => new WalSegment(timeline, BigInt(number), SIZE)
const listingOf = (segments: readonly WalSegment[]) =>
  ArchiveListing.of(
    segments.map(({ name }) => ({ path: name, sizeBytes: SIZE })),
    SIZE,
  )

const backup = {
  id: 'b1',
  timeline: 1,
  startLsn: Lsn.parse('0/300028'),
  stopLsn: Lsn.parse('0/300130'),
  stoppedAt: '2026-11-23 10:00:00.5+00',
}
/** Timeline 1 with the segments 3 to 6; timeline 2, which parted from it in segment 5, with 5 to 8. */
const reach: Reach = {
  listing: listingOf([3, 4, 5, 6].map(n => segment(1, n)).concat([5, 6, 7, 8].map(n => segment(2, n)))),
  histories: new Map([[2, TimelineHistory.parse('1\t0/580000\tno recovery target specified\n', 2)]]),
  now: NOW,
}

/** @returns the failure's kind and sentence, or nothing where the recovery is let through. */
function refusalOf(
  target: RecoveryTarget,
  {
    targetTimeline = 'latest',
    settings = {},
    of = backup,
  }: Partial<Pick<CheckedRecovery, 'targetTimeline' | 'settings'>> & { of?: CheckedRecovery['backup'] } = {},
  known: Partial<Reach> = {},
): string | undefined {
  try {
    const configured = { ...targetSettings(target, 'pause'), ...settings }
    checkTarget({ target, targetTimeline, settings: configured, backup: of }, { ...reach, ...known })
    return undefined
  } catch (error) {
    const { kind, message } = error as Failure
    return `${kind}: ${message}`
  }
}

const at = (lsn: string, inclusive = false): RecoveryTarget => ({ kind: 'lsn', lsn: Lsn.parse(lsn), inclusive })
const time = (text: string): RecoveryTarget => ({ kind: 'time', time: text, inclusive: true })

test.each<[string, RecoveryTarget]>([
  ['the end of the backup', at('0/300130')],
  ['the last byte that the archive holds', at('0/8FFFFF')],
  ['the time at which the backup ended', time('2026-11-23 11:00:00.5+01')],
  ['now', time('2026-11-23 12:00:00+00')],
  ['the first consistent point', { kind: 'immediate' }],
  ['the end of the archive', { kind: 'latest' }],
  ['a transaction that nobody has heard of', { kind: 'xid', xid: '4000000000', inclusive: true }],
  ['a restore point that nobody has heard of', { kind: 'name', name: 'nowhere' }],
])('%s is let through', (_, target) => {
  expect(refusalOf(target)).toBeUndefined()
})

describe('is refused, with what to do instead', () => {
  test.each<[string, RecoveryTarget, RegExp]>([
    [
      'an LSN before the end of the backup',
      at('0/30012F'),
      /^target-before-backup: LSN 0\/30012F, exclusive lies before the end of the base backup b1 at 0\/300130, .*: take an older backup$/,
    ],
    [
      'a time before the end of the backup',
      time('2026-11-23 15:45:00.499999+05:45'),
      /^target-before-backup: time 2026-11-23 15:45:00\.499999\+05:45, inclusive lies before the end of the base backup b1 at 2026-11-23 10:00:00\.5\+00, /,
    ],
    [
      'a time in the future',
      time('2026-11-23 12:00:00.000001+00'),
      /^target-in-future: .* lies in the future: it is 2026-11-23T12:00:00\.000Z\. Name a time that has been/,
    ],
    ['a time without an offset', time('2026-11-23 11:00:00'), /^time-without-offset: /],
    [
      'an LSN beyond the archive',
      at('0/900000', true),
      /^target-beyond-archive: LSN 0\/900000, inclusive lies beyond the end of the archive, which along timeline 1, 2 holds WAL up to 0\/900000: archive what is missing first, or take/,
    ],
  ])('%s', (_, target, refusal) => {
    expect(refusalOf(target)).toMatch(refusal)
  })

  test('an LSN beyond where the timeline ends that is followed, though another has it', () => {
    expect(refusalOf(at('0/700000'), { targetTimeline: 'current' })).toMatch(
      /^target-beyond-archive: .* along timeline 1 holds WAL up to 0\/700000: /,
    )
    expect(refusalOf(at('0/6FFFFF'), { targetTimeline: 1 })).toBeUndefined()
    expect(refusalOf(at('0/6FFFFF'), {}, { histories: new Map() })).toBeUndefined()
    expect(refusalOf(at('0/700000'), {}, { histories: new Map() })).toMatch(/^target-beyond-archive: /)
  })

  test('an LSN of an archive with nothing in it', () => {
    expect(refusalOf(at('0/400000'), { targetTimeline: 'current' }, { listing: listingOf([]) })).toMatch(
      /^target-beyond-archive: LSN 0\/400000, exclusive cannot be reached: the archive holds no segment of timeline 1$/,
    )
  })

  test('two targets, whatever they are, by the names of their settings', () => {
    expect(refusalOf(at('0/400000'), { settings: { recovery_target_name: 'before-the-release' } })).toMatch(
      /^several-targets: recovery_target_lsn and recovery_target_name are set: leave one of them/,
    )
    expect(refusalOf({ kind: 'latest' }, { settings: { recovery_target_xid: 700 } })).toBeUndefined()
  })

  test.each<[RecoveryTarget]>([[at('0/400000')], [{ kind: 'latest' }]])(
    'a timeline of which nothing is known, with those that there are: %o',
    target => {
      expect(refusalOf(target, { targetTimeline: 3 })).toMatch(
        /^timeline-history-missing: the history of timeline 3 is not in the archive, .*: put its history into the archive, or recover along timeline 1 or 2$/,
      )
    },
  )

  test('a timeline that the backup is not on', () => {
    const of = { ...backup, timeline: 2, startLsn: Lsn.parse('0/600028'), stopLsn: Lsn.parse('0/600130') }
    expect(refusalOf(at('0/680000'), { of, targetTimeline: 'latest' })).toBeUndefined()
    const left = { ...of, timeline: 1 }
    expect(refusalOf(at('0/680000'), { of: left, targetTimeline: 'latest' })).toMatch(
      /^timeline-not-a-child: timeline 2 cannot be reached from this backup, .*: take a backup that is on its way, or recover along timeline 1$/,
    )
  })
})

test('WAL that is found elsewhere counts, on its own timeline', () => {
  const beyond = at('0/900000')
  expect(refusalOf(beyond, {}, { elsewhere: [segment(2, 9)] })).toBeUndefined()
  expect(refusalOf(beyond, {}, { elsewhere: [segment(1, 9)] })).toMatch(/^target-beyond-archive: /)
})

const lsns = fc.integer({ min: 0, max: 12 * SIZE }).map(bytes => Lsn.fromBytes(BigInt(bytes)))

/** Up to three timelines, each parting from the one before further on; any segments of each. */
const worlds = fc.record({
  switchpoints: fc
    .uniqueArray(fc.integer({ min: 4 * SIZE, max: 11 * SIZE }), { maxLength: 2 })
    .map(bytes => bytes.sort((a, b) => a - b).map(one => Lsn.fromBytes(BigInt(one)))),
  segments: fc.uniqueArray(
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 3, max: 11 })).map(([one, n]) => segment(one, n)),
    { selector: String, maxLength: 30 },
  ),
  inArchive: fc.integer({ min: 0, max: 30 }),
})

test('an LSN is let through when it is not before the backup, and some segment on the way ends behind it', () => {
  fc.assert(
    fc.property(worlds, lsns, fc.boolean(), ({ switchpoints, segments, inArchive }, lsn, inclusive) => {
      const newest = switchpoints.length + 1
      const content = (timeline: number) =>
        switchpoints.slice(0, timeline - 1).map((one, index) => `${index + 1}\t${one}\t-\n`)
      const histories = new Map(
        switchpoints.map((_, index) => [index + 2, TimelineHistory.parse(content(index + 2).join(''), index + 2)]),
      )
      const history = histories.get(newest) ?? TimelineHistory.withoutParent(1)
      const holdsTarget = (one: WalSegment) =>
        one.timeline === history.timelineOf(lsn) && one.start.isAtOrBefore(lsn) && lsn.isBefore(one.end)
      const isOnTheWay = (one: WalSegment) => history.timelineOf(one.end.plus(-1n)) === one.timeline || holdsTarget(one)
      const isReached = segments.some(one => isOnTheWay(one) && lsn.isBefore(one.end))
      const [archived, elsewhere] = [segments.slice(0, inArchive), segments.slice(inArchive)]
      // What is looked for beside the archive is only what recovery takes from there, along its way.
      fc.pre(!elsewhere.some(one => holdsTarget(one) && history.timelineOf(one.end.plus(-1n)) !== one.timeline))
      const refusal = refusalOf(
        { kind: 'lsn', lsn, inclusive },
        {},
        { listing: listingOf(archived), elsewhere, histories },
      )
      if (lsn.isBefore(backup.stopLsn)) expect(refusal).toMatch(/^target-before-backup: /)
      else if (isReached) expect(refusal).toBeUndefined()
      else expect(refusal).toMatch(/^target-beyond-archive: /)
    }),
    { numRuns: 500 },
  )
})

test('a time is let through from the end of the backup until now, on whatever clock it was noted', () => {
  const base = Date.UTC(2026, 10, 23)
  const day = fc.integer({ min: 0, max: 2 * 86_400 })
  fc.assert(
    fc.property(day, day, day, fc.integer({ min: -56, max: 56 }), (stopped, now, second, quarters) => {
      const iso = (seconds: number) => new Date(base + seconds * 1000).toISOString()
      const sign = quarters < 0 ? '-' : '+'
      const [hours, minutes] = [Math.floor(Math.abs(quarters) / 4), (Math.abs(quarters) % 4) * 15]
      const offset = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
      const text = `${iso(second + quarters * 900).slice(0, 19)}${offset}`
      const refusal = refusalOf(time(text), { of: { ...backup, stoppedAt: iso(stopped) } }, { now: iso(now) })
      if (second < stopped) expect(refusal).toMatch(/^target-before-backup: /)
      else if (second > now) expect(refusal).toMatch(/^target-in-future: /)
      else expect(refusal).toBeUndefined()
    }),
  )
})
