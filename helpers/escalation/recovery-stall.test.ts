import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import type { LogLine } from '../postgres/server-log.ts'
import { DEFAULT_SEGMENT_SIZE_BYTES as SIZE, WalSegment } from '../postgres/wal-segment.ts'
import type { RecoverySample } from '../recovery/recovery-sample.ts'
import { EscalationPolicy } from './policy.ts'
import { detectRecoveryStall, type RecoveryObservation } from './recovery-stall.ts'

type Start = RecoveryObservation['starts'][number]

const PREFIX = '2026-01-02 03:04:05.678 UTC [42] '
const EVERY_MS = 50
const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE).name
const place = (number: number) => Lsn.fromBytes(BigInt(number))
const startup = (atMs: number, text: string): LogLine => ({ atMs, text: `${PREFIX}startup ${text}` })
const restored = (atMs: number, number: number) =>
  startup(atMs, `LOG:  restored log file "${segment(number)}" from archive`)
const target = { kind: 'lsn', lsn: place(9 * SIZE), inclusive: false } as const

const REDO = startup(20, `LOG:  redo starts at ${place(2 * SIZE)}`)

function start(samples: readonly RecoverySample[], lines: readonly LogLine[] = [], isRunning = true): Start {
  return { startedAtMs: 0, lines: [restored(10, 2), REDO, ...lines], samples, isRunning }
}

/** As many looks as are given, from 100 ms on, each as the last: `what` for all of them. */
function looks(what: Omit<RecoverySample, 'atMs'>, count = 4, fromMs = 100): RecoverySample[] {
  return Array.from({ length: count }, (_, index) => ({ atMs: fromMs + index * EVERY_MS, ...what }))
}

function detect(starts: readonly Start[] | Start, more: Partial<RecoveryObservation> = {}) {
  const all = [starts].flat()
  const nowMs = Math.max(0, ...all.flatMap(({ samples }) => samples.map(({ atMs }) => atMs)))
  return detectRecoveryStall({
    at: '2026-01-01T12:00:00.000Z',
    nowMs,
    server: 'restored',
    target,
    starts: all,
    ...more,
  })
}

const found = (starts: readonly Start[] | Start, more: Partial<RecoveryObservation> = {}) => {
  const [finding] = detect(starts, more).findings
  return finding && { cause: finding.cause, file: finding.file, complaint: finding.complaint }
}
const told = (cause: string, { file, complaint }: { file?: string; complaint?: string } = {}) => ({
  cause,
  file,
  complaint,
})

const still = { replayLsn: place(4 * SIZE), pauseState: 'not paused', segment: segment(3) }
const fetching = { ...still, waitEvent: 'RestoreCommand', activity: 'waiting', segment: segment(4) } as const

describe('a restore_command that is waited for', () => {
  test('hangs, and the file is named, as is what that stands in the way of', () => {
    expect(detect(start(looks(fetching))).findings).toEqual([
      {
        name: 'recovery-stall',
        blocks: 'the recovery of restored to LSN 0/9000000, exclusive',
        cause: 'restore-command-hanging',
        file: segment(4),
        complaint: undefined,
        replayedTo: place(4 * SIZE),
        sentence: `at 2026-01-01T12:00:00.000Z, the recovery of restored to LSN 0/9000000, exclusive has stalled: restore_command does not end, and says nothing of it; what is waited for is ${segment(4)}; no further than 0/4000000 for 0.1 s`,
      },
    ])
  })

  test.each([
    ['before the first consistent point', { activity: 'waiting', segment: segment(4), isInCommand: true }, segment(4)],
    ['for a history, which no title names', { isInCommand: true }, undefined],
    ['for a history, of a title that names what was replayed', { ...fetching, activity: 'recovering' }, undefined],
  ] as const)('hangs %s', (_, sample, file) => {
    expect(found(start(looks(sample)))).toEqual(told('restore-command-hanging', file === undefined ? {} : { file }))
  })

  test('hangs at the end of recovery, which asks for histories', () => {
    const { activity: _, ...asking } = fetching
    const lines = [startup(90, 'LOG:  recovery stopping before WAL location (LSN) "0/9000000"')]
    expect(found(start(looks(asking), lines))).toEqual(told('restore-command-hanging'))
  })

  const complains = (texts: readonly string[]) => texts.map((text, index) => ({ atMs: 101 + index * 10, text }))

  test('tries again when it says the same again, whatever its numbers', () => {
    const lines = complains(['12:01 not reached, attempt 1', '12:02 not reached, attempt 2'])
    expect(found(start(looks(fetching), lines))).toEqual(
      told('restore-command-retrying', { file: segment(4), complaint: '12:02 not reached, attempt 2' }),
    )
  })

  test.each([
    ['says something once', ['fetching from the archive']],
    ['says one thing and another', ['fetching from the archive', 'it takes its time']],
    [
      'is at it while a client is turned away',
      [`${PREFIX}client backend FATAL:  no`, `${PREFIX}client backend FATAL:  no`],
    ],
    ['is at it while the server says something in several lines', [`${PREFIX}startup LOG:  a`, '\tb', '\tb']],
  ])('does not try again when it %s', (_, lines) => {
    expect(found(start(looks(fetching), complains(lines)))?.cause).toBe('restore-command-hanging')
  })

  test('does not try again for what it complained of before the last file came', () => {
    const lines = [...complains(['not reached', 'not reached']), restored(140, 3)]
    expect(found(start(looks(fetching, 6), lines))?.cause).toBe('restore-command-hanging')
  })

  const standby = startup(15, 'LOG:  entering standby mode')

  test.each([
    ['while it waits', { ...fetching, waitEvent: 'RecoveryRetrieveRetryInterval' }],
    ['before the server takes queries', { activity: 'waiting', segment: segment(4), isInCommand: false }],
  ] as const)('is tried again by PostgreSQL in standby mode, told %s', (_, sample) => {
    const finding = found(start(looks(sample), [standby]))
    expect(finding).toEqual(told('restore-command-retrying', { file: segment(4) }))
  })

  test('is tried again in standby mode, told from the log', () => {
    const lines = [standby, startup(120, 'LOG:  waiting for WAL to become available at 0/4000018')]
    expect(found(start(looks(fetching), lines))?.cause).toBe('restore-command-retrying')
  })

  test('is named though the last look met the moment between two attempts', () => {
    const waiting = { ...fetching, waitEvent: 'RecoveryRetrieveRetryInterval' }
    const samples = [...looks(still, 1, 50), ...looks(waiting), ...looks(still, 1, 500)]
    const named = told('restore-command-retrying', { file: segment(4) })
    expect(found(start(samples, [standby]))).toEqual(named)
    // Asked for before the last advance.
    const lines = [standby, restored(101, 4)]
    expect(
      found(
        start(
          [...looks(still, 1, 50), ...looks(fetching, 1), ...looks({ ...still, waitEvent: 'RestoreCommand' }, 3, 200)],
          lines,
        ),
      ),
    ).toEqual(told('restore-command-hanging'))
  })

  test('hangs in standby mode too', () => {
    expect(found(start(looks(fetching), [standby]))?.cause).toBe('restore-command-hanging')
  })

  test('brings the same segment again and again, which is no advance', () => {
    const lines = [standby, ...[110, 120, 130, 140].map(atMs => restored(atMs, 2))]
    const waiting = { ...fetching, waitEvent: 'RecoveryRetrieveRetryInterval' }
    expect(found(start(looks(waiting), lines))?.cause).toBe('restore-command-retrying')
  })
})

describe('a pause', () => {
  const paused = { ...still, pauseState: 'paused', waitEvent: 'RecoveryPause' }
  const WARNED = [
    startup(80, 'WARNING:  hot standby is not possible because of insufficient parameter settings'),
    startup(
      80,
      'DETAIL:  max_connections = 90 is a lower setting than on the primary server, where its value was 100.',
    ),
    startup(80, 'LOG:  recovery has paused'),
  ]

  test('is that of an operator', () => expect(found(start(looks(paused)))).toEqual(told('paused-by-operator')))

  test('is that of an operator when it was asked for and no record comes', () =>
    expect(found(start(looks({ ...still, pauseState: 'pause requested' })))).toEqual(told('paused-by-operator')))

  test('that is asked for while restore_command hangs is not what it waits for', () =>
    expect(found(start(looks({ ...fetching, pauseState: 'pause requested' })))?.cause).toBe('restore-command-hanging'))

  test('for want of connections says which setting is too low', () =>
    expect(found(start(looks(paused), WARNED))).toEqual(
      told('insufficient-parameters', {
        complaint: 'max_connections = 90 is a lower setting than on the primary server, where its value was 100.',
      }),
    ))

  test.each(['before', 'after', 'at'])('at the target is none (recovery stopping %s)', side => {
    const lines = [
      startup(90, `LOG:  recovery stopping ${side} something`),
      startup(90, 'LOG:  pausing at the end of recovery'),
    ]
    expect(detect(start(looks(paused, 1_000), lines))).toEqual({ findings: [], estimate: undefined })
  })
})

describe('no stall', () => {
  test.each([
    ['the last checkpoint', startup(90, 'LOG:  redo done at 0/8FFFFC8 system usage: CPU: user: 0.05 s')],
    ['a promoted server', startup(90, 'LOG:  archive recovery complete')],
    [
      'one that takes writes',
      { atMs: 90, text: `${PREFIX}postmaster LOG:  database system is ready to accept connections` },
    ],
  ])('is %s', (_, line) => expect(found(start(looks(still, 1_000), [line]))).toBeUndefined())

  test.each([
    ['refused to go on', 'startup FATAL:  recovery ended before configured recovery target was reached'],
    ['was shut down', 'postmaster LOG:  received fast shutdown request'],
  ])('is a server that %s', (_, text) =>
    expect(detect(start(looks(fetching), [{ atMs: 300, text: PREFIX + text }], false))).toEqual({
      findings: [],
      estimate: undefined,
    }),
  )

  test('is known of nothing, or of one look', () => {
    expect(found([])).toBeUndefined()
    expect(found(start([]))).toBeUndefined()
    expect(found(start(looks(fetching, 1)))).toBeUndefined()
  })

  test('is a data directory that is being synchronised', () => {
    const lines = [
      startup(120, 'LOG:  syncing data directory (fsync), elapsed time: 10.00 s, current path: ./base/1'),
      startup(220, 'LOG:  syncing data directory (fsync), elapsed time: 20.00 s, current path: ./base/2'),
    ]
    const at = (count: number) => ({ startedAtMs: 0, lines, samples: looks({}, count), isRunning: true })
    expect(found(at(3))).toBeUndefined()
    expect(found({ ...at(6), lines: lines.slice(0, 1) })?.cause).toBe('unexplained')
  })
})

test('what stands still for a reason that nobody gives is told, with what it waits for', () => {
  const blocked = { ...still, waitEvent: 'RecoveryConflictSnapshot' }
  expect(detect(start(looks(blocked))).findings[0]).toMatchObject({
    cause: 'unexplained',
    sentence: expect.stringContaining(
      'nothing says why, it waits for RecoveryConflictSnapshot; no further than 0/4000000',
    ),
  })
  expect(found(start(looks({ activity: 'recovering', segment: segment(4) })))).toEqual(told('unexplained'))
})

test('a server that answers no look any more is told, however seldom it was looked at before', () => {
  const answering = start([100, 200].map(atMs => ({ atMs, replayLsn: place(3 * SIZE + atMs) })))
  expect(found(answering, { nowMs: 5_200 })).toBeUndefined()
  expect(found(answering, { nowMs: 5_201 })).toEqual(told('unseen'))
  const seldom = start([0, 2_000].map(atMs => ({ atMs, replayLsn: place(3 * SIZE + atMs) })))
  expect(found(seldom, { nowMs: 10_000 })).toBeUndefined()
  expect(found(seldom, { nowMs: 10_001 })).toEqual(told('unseen'))
  expect(found(start([]), { nowMs: 5_001 })).toEqual(told('unseen'))
})

describe('a crash loop', () => {
  const refused = (
    number: number,
    text = 'startup FATAL:  recovery ended before configured recovery target was reached',
  ) => start(looks(still, 2), [restored(30, number), { atMs: 300, text: PREFIX + text }], false)
  const running = (number?: number) => start([], number === undefined ? [] : [restored(30, number)])
  const REFUSAL = 'recovery ended before configured recovery target was reached'

  test('is two ends at one place, whether or not the server has been started again', () => {
    for (const starts of [
      [refused(4), refused(4)],
      [refused(4), refused(4), running()],
      [refused(4), refused(3)],
    ])
      expect(found(starts)).toEqual(told('crash-loop', { complaint: REFUSAL }))
    expect(detect([refused(4), refused(4), running(3)]).findings[0]?.sentence).toContain(
      `3 starts, and none came further than ${segment(4)}: ${REFUSAL}`,
    )
  })

  test('is no end, one end, an end further on, or one that somebody wanted', () => {
    expect(found([running()])).toBeUndefined()
    expect(found([refused(4), running()])).toBeUndefined()
    expect(found([refused(4), refused(5)])).toBeUndefined()
    expect(found([refused(4), refused(4, 'postmaster LOG:  received fast shutdown request')])).toBeUndefined()
    expect(found([refused(4, 'postmaster LOG:  shutdown at recovery target'), refused(4)])).toBeUndefined()
  })

  test('is over when the server comes further, or to its target', () => {
    expect(found([refused(4), refused(4), running(5)])).toBeUndefined()
    const there = start([], [startup(90, 'LOG:  recovery stopping before something')])
    expect(found([refused(4), refused(4), there])).toBeUndefined()
  })

  test('of a server that is killed says so, or that it said nothing', () => {
    const crashed = refused(4, 'postmaster LOG:  startup process (PID 7) was terminated by signal 9: Killed')
    expect(found([crashed, crashed])?.complaint).toBe('startup process (PID 7) was terminated by signal 9: Killed')
    const gone = refused(4, 'startup LOG:  something')
    expect(found([gone, gone])?.complaint).toBe('without a word')
  })

  test('for want of connections is told as that', () => {
    const lines = [
      startup(90, 'FATAL:  recovery aborted because of insufficient parameter settings'),
      startup(
        90,
        'DETAIL:  max_wal_senders = 1 is a lower setting than on the primary server, where its value was 10.',
      ),
    ]
    const aborted = start([], lines, false)
    expect(found([aborted, aborted])).toEqual(
      told('insufficient-parameters', {
        complaint: 'max_wal_senders = 1 is a lower setting than on the primary server, where its value was 10.',
      }),
    )
  })
})

describe('an estimate', () => {
  // A segment a second, from the second to the sixth.
  const samples = Array.from({ length: 41 }, (_, index) => ({
    atMs: 20 + index * 100,
    replayLsn: place(2 * SIZE + Math.floor((index * SIZE) / 10)),
    pauseState: 'not paused',
  }))
  const nowMs = 4_020

  test('is what is left at the rate so far, and whether that makes the objective', () => {
    const { estimate } = detect(start(samples), { nowMs, rto: { seconds: 7.1, sinceMs: 0 } })
    expect(estimate).toMatchObject({ bytesLeft: 3 * SIZE, bytesPerSecond: SIZE, seconds: 3, makesIt: true })
    expect(estimate?.sentence).toBe(
      'restored has replayed to 0/6000000 and goes on at 16.0 MiB/s: 48.0 MiB and 3.0 s are left to LSN 0/9000000, exclusive: 7.0 s after the incident, which makes the RTO of 7.1 s',
    )
    const late = detect(start(samples), { nowMs, rto: { seconds: 7, sinceMs: 0 } }).estimate
    expect(late?.makesIt).toBe(false)
    expect(late?.sentence).toContain('does not make the RTO of 7 s')
    expect(detect(start(samples), { nowMs }).estimate).toMatchObject({ makesIt: undefined })
  })

  test('to a moment that is no LSN goes to the end of the archive at the most', () => {
    const to = { nowMs, target: { kind: 'latest' } as const }
    expect(detect(start(samples), to).estimate).toBeUndefined()
    expect(detect(start(samples), { ...to, archiveEnd: place(8 * SIZE) }).estimate).toMatchObject({ seconds: 2 })
  })

  test('is none for what stands still, is at its target, or has no rate', () => {
    expect(detect(start(looks(fetching))).estimate).toBeUndefined()
    const there = [startup(4_020, 'LOG:  recovery stopping before WAL location (LSN) "0/9000000"')]
    expect(detect(start(samples, there), { nowMs }).estimate).toBeUndefined()
    expect(detect(start([])).estimate).toBeUndefined()
  })

  test('is right for whatever goes on as it has', () => {
    const some = { min: 1, max: 1_000 }
    fc.assert(
      fc.property(fc.integer(some), fc.integer({ min: 2, max: 50 }), fc.integer(some), (bytesPerMs, count, msLeft) => {
        const from = 10 * SIZE
        const even = Array.from({ length: count }, (_, ms) => ({ atMs: ms, replayLsn: place(from + ms * bytesPerMs) }))
        const goal = place(from + (count - 1 + msLeft) * bytesPerMs)
        const { estimate } = detect(
          { startedAtMs: 0, lines: [], samples: even, isRunning: true },
          { target: { kind: 'lsn', lsn: goal, inclusive: false }, rto: { seconds: 1e9, sinceMs: 0 } },
        )
        expect(estimate?.seconds).toBeCloseTo(msLeft / 1000, 6)
        expect(estimate?.makesIt).toBe(true)
      }),
    )
  })
})

describe('whatever a look shows', () => {
  const what = fc.record(
    {
      waitEvent: fc.constantFrom('RestoreCommand', 'RecoveryRetrieveRetryInterval', 'RecoveryPause', 'DataFileRead'),
      pauseState: fc.constantFrom('not paused', 'pause requested', 'paused'),
      activity: fc.constantFrom('waiting' as const, 'recovering' as const),
      isInCommand: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  const WINDOW_SECONDS = 1
  /** The states that a policy has seen, a look at a time. */
  const statesOf = (samples: readonly RecoverySample[], lines: readonly LogLine[] = []) => {
    const policy = new EscalationPolicy({ windowSeconds: WINDOW_SECONDS })
    return samples.map(({ atMs }, index) => {
      const report = detect(
        start(
          samples.slice(0, index + 1),
          lines.filter(line => line.atMs <= atMs),
        ),
      )
      return policy.observe(report.findings, atMs / 1000).find(({ state }) => state !== 'quiet')?.state ?? 'quiet'
    })
  }
  const steps = fc.array(fc.tuple(what, fc.integer({ min: 1, max: 3_000 })), { minLength: 2, maxLength: 30 })
  const timed = (seen: readonly (readonly [object, number])[]) => {
    let atMs = 100
    return seen.map(([sample, afterMs]) => {
      atMs += afterMs
      return { ...sample, atMs }
    })
  }

  test('replay that advances between every two looks is never a stall', () => {
    fc.assert(
      fc.property(steps, seen => {
        const samples = timed(seen).map((one, index) => ({ ...one, replayLsn: place(3 * SIZE + index + 1) }))
        expect(new Set(statesOf(samples))).toEqual(new Set(['quiet']))
      }),
    )
  })

  test('nor are files that come, one between every two looks', () => {
    fc.assert(
      fc.property(steps, seen => {
        const samples = timed(seen)
        const lines = samples.map(({ atMs }, index) => restored(atMs, index + 3))
        expect(new Set(statesOf(samples, lines))).toEqual(new Set(['quiet']))
      }),
    )
  })

  test('what does not change for longer than the window always is one', () => {
    fc.assert(
      fc.property(what, fc.boolean(), fc.integer({ min: 50, max: 2_000 }), (sample, takesQueries, everyMs) => {
        const count = Math.ceil((WINDOW_SECONDS * 1000) / everyMs) + 4
        const one = { ...sample, ...(takesQueries ? { replayLsn: place(3 * SIZE) } : {}) }
        const samples = Array.from({ length: count }, (_, index) => ({ ...one, atMs: 100 + index * everyMs }))
        expect(statesOf(samples).at(-1)).toBe('firing')
      }),
    )
  })

  test('paused at its target it never is', () => {
    fc.assert(
      fc.property(steps, seen => {
        const samples = timed(seen).map(({ atMs }) => ({
          atMs,
          ...still,
          pauseState: 'paused',
          waitEvent: 'RecoveryPause',
        }))
        const lines = [startup(90, 'LOG:  recovery stopping before WAL location (LSN) "0/9000000"')]
        expect(new Set(statesOf(samples, lines))).toEqual(new Set(['quiet']))
      }),
    )
  })
})
