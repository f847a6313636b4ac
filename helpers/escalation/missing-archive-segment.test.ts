import { describe, expect, it } from 'vitest'
import { auditArchive, type SegmentDamage } from '../archive/audit.ts'
import { ArchiveListing } from '../archive/listing.ts'
import { WalClock } from '../archive/wal-clock.ts'
import { Lsn } from '../postgres/lsn.ts'
import { WalDamage } from '../postgres/wal-damage.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import { detectMissingArchiveSegment } from './missing-archive-segment.ts'

const at = '2026-01-01T12:00:00.000Z'
const name = (number: number) => new WalSegment(1, BigInt(number), SIZE).name

/** Segments 1 to 9; the backup lies in 3, the target in 6. */
function detect(
  without: readonly number[],
  target: { lsn: Lsn } | 'latest' = { lsn: Lsn.parse('0/6000060') },
  short: readonly number[] = [],
  clock?: WalClock,
) {
  const numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9].filter(number => !without.includes(number))
  const listing = ArchiveListing.of(
    numbers.map(number => ({ path: name(number), sizeBytes: short.includes(number) ? 0 : SIZE })),
    SIZE,
  )
  const backup = { timeline: 1, startLsn: Lsn.parse('0/3000028'), stopLsn: Lsn.parse('0/3000120') }
  return detectMissingArchiveSegment({
    at,
    audit: auditArchive({ listing, backup, target }),
    ...(clock ? { clock } : {}),
  })
}

describe('the detector of missing archive segments', () => {
  it('finds nothing where nothing is missing', () => {
    expect(detect([])).toEqual({ findings: [], harmless: [], oddities: [] })
  })

  it('names the segment, what it blocks and how far one can come back', () => {
    const { findings } = detect([5])
    expect(findings).toMatchObject([
      { name: 'missing-archive-segment', placement: 'blocks-target', blocks: 'recovery to the target 0/6000060' },
    ])
    expect(findings[0]?.ranges.map(String)).toEqual([name(5)])
    expect(String(findings[0]?.recoverableTo)).toBe('0/5000000')
    expect(findings[0]?.sentence).toBe(
      `at ${at}, missing ${name(5)}: this blocks recovery to the target 0/6000060, and one can come back to 0/5000000 at the most`,
    )
  })

  it('says when the server was there, as far as it was looked at', () => {
    const clock = new WalClock()
    const note = (lsn: string, time: string) =>
      clock.note({
        timeline: 1,
        insertLsn: Lsn.parse(lsn),
        readAt: { from: time, until: time },
        segmentSizeBytes: SIZE,
      })
    note('0/7000060', '12:00:01Z')
    const limit = () => detect([8], undefined, [], clock).findings[0]?.sentence.replace(/^.* and one/, 'one')
    expect(limit()).toBe('one can come back to 0/8000000 at the most: to every commit acknowledged until 12:00:01Z')
    note('0/9000060', '12:00:03Z')
    expect(limit()).toBe(
      'one can come back to 0/8000000 at the most: to every commit acknowledged until 12:00:01Z, and to none sent after 12:00:03Z',
    )
    expect(detect([8], undefined, [], clock).findings[0]?.passage).toEqual({ after: '12:00:01Z', before: '12:00:03Z' })
    expect(detect([3], undefined, [], clock).findings[0]?.passage).toEqual({})
  })

  it('has a finding for each thing that is blocked, with all the ranges that block it', () => {
    const { findings } = detect([4, 6, 8], undefined, [5])
    expect(findings.map(({ placement, ranges }) => [placement, ranges.map(String)])).toEqual([
      ['blocks-target', [name(4), name(5), name(6)]],
      ['beyond-target', [name(8)]],
    ])
    expect(findings[0]?.damaged.map(String)).toEqual([name(5)])
    expect(findings[0]?.sentence).toContain(
      `missing ${name(4)}, damaged ${name(5)} (the file is cut off: it has 0 bytes, not 16777216), missing ${name(6)}`,
    )
  })

  it('says how what is damaged is damaged, and where', () => {
    const listing = ArchiveListing.of(
      [3, 4, 5, 6, 7].map(number => ({ path: name(number), sizeBytes: SIZE })),
      SIZE,
    )
    const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)
    const [lastLsn, broken] = [Lsn.parse('0/4000100'), Lsn.parse('0/4000160')]
    const zeros = (number: number) => new WalDamage('zeros', segment(number), segment(number).start, 'there are zeros')
    const damages = new Map<string, SegmentDamage>([
      [
        name(4),
        {
          damage: new WalDamage('wrong-checksum', segment(4), broken, 'the record is broken'),
          whole: { lastLsn, endLsn: broken },
        },
      ],
      ...[5, 6].map(number => [name(number), { damage: zeros(number) }] as const),
    ])
    const audit = auditArchive({
      listing,
      damages,
      backup: { timeline: 1, startLsn: Lsn.parse('0/3000028'), stopLsn: Lsn.parse('0/3000120') },
      target: { lsn: Lsn.parse('0/7000060') },
    })
    const [finding] = detectMissingArchiveSegment({ at, audit }).findings
    expect(finding?.damages.map(({ kind }) => kind)).toEqual(['wrong-checksum', 'zeros'])
    expect(finding?.sentence).toBe(
      `at ${at}, damaged ${name(4)} (at 0/4000160 the record is broken), damaged ${name(5)}..${name(6)} (2) (of the first, there are zeros): this blocks recovery to the target 0/7000060, and one can come back to 0/4000160 at the most`,
    )
  })

  it('says of a gap in the backup that one cannot come back at all', () => {
    expect(detect([3]).findings).toMatchObject([
      {
        placement: 'before-consistency',
        recoverableTo: undefined,
        sentence: expect.stringContaining('cannot come back from this backup at all'),
      },
    ])
  })

  it('names the history without which recovery does not find its way to the server', () => {
    const listing = ArchiveListing.of(
      [3, 4, 5, 6, 7].map(number => ({
        path: new WalSegment(number > 5 ? 2 : 1, BigInt(number), SIZE).name,
        sizeBytes: SIZE,
      })),
      SIZE,
    )
    const audit = auditArchive({
      listing,
      backup: { timeline: 1, startLsn: Lsn.parse('0/3000028'), stopLsn: Lsn.parse('0/3000120') },
      target: { lsn: Lsn.parse('0/6000060') },
      server: { timeline: 2, currentLsn: Lsn.parse('0/7000060'), lastArchived: undefined },
    })
    expect(detectMissingArchiveSegment({ at, audit }).findings).toMatchObject([
      {
        blocks: 'recovery beyond timeline 1',
        ranges: [],
        histories: ['00000002.history'],
        sentence: `at ${at}, missing 00000002.history: this blocks recovery beyond timeline 1, and one can come back to 0/6000000 of timeline 1 at the most`,
      },
    ])
  })

  it('states a gap before the backup and does not find it', () => {
    const { findings, harmless } = detect([2])
    expect(findings).toEqual([])
    expect(harmless.map(({ range, sentence }) => [String(range), sentence])).toEqual([
      [name(2), `missing ${name(2)}, before the base backup, which does not need it`],
    ])
  })

  it('blocks the same thing while more segments go missing', () => {
    const blocks = (without: number[]) => detect(without, 'latest').findings.map(finding => finding.blocks)
    expect(blocks([5])).toEqual(['recovery to the end of the archive'])
    expect(blocks([5, 7])).toEqual(blocks([5]))
  })
})
