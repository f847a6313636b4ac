import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isCommandAmong, RecoverySamples, readStartupTitle } from './recovery-sample.ts'

const SEGMENT = '00000001000000000000000A'

// As PostgreSQL 15 to 18 show them.
test.each([
  [`postgres: startup recovering ${SEGMENT}`, { activity: 'recovering', segment: SEGMENT }],
  [`postgres: startup waiting for ${SEGMENT}`, { activity: 'waiting', segment: SEGMENT }],
  [`postgres: main: startup recovering ${SEGMENT}`, { activity: 'recovering', segment: SEGMENT }],
  [`postgres: startup   recovering ${SEGMENT}`, { activity: 'recovering', segment: SEGMENT }],
  ['postgres: startup ', {}],
  ['postgres: startup waiting for 00000002.history', {}],
] as const)('%s', (title, told) => {
  expect(readStartupTitle(title)).toEqual(told)
})

test.each([
  'postgres: checkpointer ',
  'postgres: archiver last was 000000010000000000000003',
  'postgres: startup_user app 127.0.0.1(1) idle',
  `cp /archive/${SEGMENT} pg_wal/RECOVERYXLOG`,
  '',
])('%j is another process', title => {
  expect(readStartupTitle(title)).toBeUndefined()
})

describe('among the processes of a restored server', () => {
  const servers = ['postgres: checkpointer', 'postgres: main: startup waiting for 00000002.history', '']

  test.each(['/usr/lib/postgresql/18/bin/postgres -D /data', 'postgres -D /data', 'postgres'])(
    '%s is one that was started a moment ago',
    title => expect(isCommandAmong([...servers, title])).toBe(false),
  )

  test.each([
    'sh -c cp /archive/x pg_wal/RECOVERYXLOG',
    'cp /archive/x y',
    '/opt/postgres-archive/restore x',
    'sleep 1',
  ])('%s is a command', title => expect(isCommandAmong([...servers, title])).toBe(true))
})

describe('samples', () => {
  test('are never too many, in order, and the first and the newest are among them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 1, max: 2_000 }), (max, count) => {
        const samples = new RecoverySamples(10, max)
        for (let atMs = 0; atMs < count; atMs++) samples.add({ atMs })
        const times = samples.all.map(sample => sample.atMs)
        expect(times.length).toBeLessThanOrEqual(max)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        expect(times[0]).toBe(0)
        expect(times.at(-1)).toBe(count - 1)
      }),
    )
  })

  test('are taken half as often each time that there were too many', () => {
    const samples = new RecoverySamples(10, 4)
    for (let atMs = 0; atMs < 4; atMs++) samples.add({ atMs })
    expect(samples.everyMs).toBe(10)
    samples.add({ atMs: 4 })
    expect(samples.everyMs).toBe(20)
    expect(samples.all.map(({ atMs }) => atMs)).toEqual([0, 2, 4])
  })
})
