import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { TimelineHistory } from './timeline-history.ts'

const at = (history: TimelineHistory, lsn: string) => history.timelineOf(Lsn.parse(lsn))

/** Written by a PostgreSQL 17 that recovered along timeline 2 and stopped before timeline 2 begins. */
const STOPPED_EARLY = '1\t0/4000138\tafter LSN 0/40000F8\n\n\n2\t0/301F1D0\tafter LSN 0/301F190\n\n'

describe('a history file', () => {
  test('gives the switches in order, with their reasons', () => {
    const text = '1\t0/3000060\tno recovery target specified\n\n2\t1/0\tbefore 2026-01-01 12:00:00+00\n'
    const history = TimelineHistory.parse(text, 3)
    expect(history.timeline).toBe(3)
    expect(history.switches).toEqual([
      { timeline: 1, switchpoint: Lsn.parse('0/3000060'), reason: 'no recovery target specified' },
      { timeline: 2, switchpoint: Lsn.parse('1/0'), reason: 'before 2026-01-01 12:00:00+00' },
    ])
  })

  test('may hold comments, blank lines, padded LSNs, no reason and no last line break', () => {
    const history = TimelineHistory.parse('# comment\n \t# another\n\n  7 A/0000F00D\r\n12\tA/F00E', 4294967295)
    expect(history.switches.map(one => `${one.timeline} ${one.switchpoint}`)).toEqual(['7 A/F00D', '12 A/F00E'])
  })

  test.each([
    ['no timeline', 'x\t0/3000060\treason', 2, /not 'timeline, switchpoint, reason': 'x/],
    ['no switchpoint', '1\treason', 2, /not 'timeline, switchpoint, reason'/],
    ['half a switchpoint', '1\t0/\treason', 2, /not 'timeline, switchpoint, reason'/],
    ['a switchpoint too long', '1\t0/123456789\treason', 2, /not 'timeline, switchpoint, reason'/],
    ['timeline 0', '0\t0/3000060\treason', 2, /not 'timeline, switchpoint, reason'/],
    ['a timeline beyond 32 bits', '4294967296\t0/3000060\treason', 4294967297, /not 'timeline, switchpoint, reason'/],
    ['zeros in place of text', '\0'.repeat(40), 2, /the history of timeline 2 has a line/],
    ['a parent twice', '1\t0/3000060\ta\n1\t0/4000060\tb', 2, /from timeline 1 to 1/],
    ['a parent after its child', '2\t0/3000060\ta\n1\t0/4000060\tb', 3, /from timeline 2 to 1/],
    ['itself as its parent', '1\t0/3000060\ta\n2\t0/4000060\tb', 2, /from timeline 2 to 2/],
    ['a later timeline as its parent', '3\t0/3000060\ta', 2, /from timeline 3 to 2/],
    ['nothing', '', 2, /the history of timeline 2 names no parent/],
    ['comments alone', '# 1\t0/3000060\treason\n\n', 2, /names no parent/],
  ])('with %s is refused', (_, content, timeline, message) => {
    expect(() => TimelineHistory.parse(content, timeline)).toThrow(RangeError)
    expect(() => TimelineHistory.parse(content, timeline)).toThrow(message)
  })
})

describe('the timeline of an LSN', () => {
  test('changes at the switchpoint itself', () => {
    const history = TimelineHistory.parse('1\t0/3000060\ta\n3\t0/5000000\tb\n', 7)
    expect(
      ['0/0', '0/300005F', '0/3000060', '0/4FFFFFF', '0/5000000', 'FFFFFFFF/FFFFFFFF'].map(lsn => at(history, lsn)),
    ).toEqual([1, 1, 3, 3, 7, 7])
  })

  test('without a parent is always that timeline', () => {
    expect(at(TimelineHistory.withoutParent(1), '0/0')).toBe(1)
    expect(at(TimelineHistory.withoutParent(1), 'A/0')).toBe(1)
  })

  test('skips a timeline that was left where it began', () => {
    const history = TimelineHistory.parse('1\t0/3000060\ta\n2\t0/3000060\tb\n', 3)
    expect([at(history, '0/300005F'), at(history, '0/3000060')]).toEqual([1, 3])
  })

  test('skips a timeline that recovery stopped short of', () => {
    const history = TimelineHistory.parse(STOPPED_EARLY, 3)
    expect(['0/301F1CF', '0/301F1D0', '0/4000138', '0/5000000'].map(lsn => at(history, lsn))).toEqual([1, 3, 3, 3])
  })

  test("is what PostgreSQL's own search finds, over any history", () => {
    const switches = fc.array(
      fc.record({ step: fc.integer({ min: 1, max: 5 }), point: fc.integer({ min: 1, max: 40 }) }),
      { minLength: 1, maxLength: 6 },
    )
    fc.assert(
      fc.property(switches, fc.integer({ min: 0, max: 41 }), (given, position) => {
        let timeline = 0
        const lines = given.map(({ step, point }) => {
          timeline += step
          return { timeline, point }
        })
        const text = lines.map(line => `${line.timeline}\t0/${line.point.toString(16)}\treason\n`).join('\n')
        const tip = timeline + 1
        // As the C code: each timeline from its parent's end to its own, newest first, the first that holds the position.
        const spans = [...lines, { timeline: tip, point: Number.POSITIVE_INFINITY }].map((line, index) => ({
          ...line,
          begin: lines[index - 1]?.point ?? 0,
        }))
        const expected = spans.reverse().find(span => span.begin <= position && position < span.point)?.timeline
        expect(TimelineHistory.parse(text, tip).timelineOf(Lsn.fromBytes(BigInt(position)))).toBe(expected)
      }),
    )
  })
})
