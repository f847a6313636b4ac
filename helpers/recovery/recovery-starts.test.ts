import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { recoveryStartsOf } from './recovery-starts.ts'

/** Of a server that was killed half way and started again, as PostgreSQL 18 logs it; a line each 10 ms. */
const LOG = `2026-11-27 14:26:44.259 UTC [100] postmaster LOG:  starting PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc
2026-11-27 14:26:44.308 UTC [101] startup LOG:  starting backup recovery with redo LSN 0/30016E8, checkpoint LSN 0/301E388, on timeline ID 1
2026-11-27 14:26:44.417 UTC [101] startup LOG:  redo starts at 0/30016E8
2026-11-27 14:26:44.420 UTC [102] client backend FATAL:  the database system is starting up
2026-11-27 14:26:44.500 UTC [101] startup LOG:  consistent recovery state reached at 0/302CA88
2026-11-27 14:26:44.600 UTC [101] startup FATAL:  recovery ended before configured recovery target was reached
2026-11-27 14:26:45.259 UTC [200] postmaster LOG:  starting PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc
2026-11-27 14:26:45.417 UTC [201] startup LOG:  redo starts at 0/30016E8
2026-11-27 14:26:45.500 UTC [201] startup LOG:  consistent recovery state reached at 0/302CA88
2026-11-27 14:26:45.600 UTC [201] startup LOG:  recovery stopping before WAL location (LSN) "0/446F678"
2026-11-27 14:26:45.700 UTC [201] startup LOG:  redo done at 0/446F600 system usage: CPU: user: 0.00 s
2026-11-27 14:26:46.259 UTC [300] postmaster LOG:  starting PostgreSQL 18.4 on x86_64-pc-linux-gnu, compiled by gcc
2026-11-27 14:26:46.300 UTC [300] postmaster LOG:  database system is ready to accept connections`
const lines = LOG.split('\n').map((text, index) => ({ atMs: index * 10, text }))

describe('of a server that was started three times', () => {
  const starts = recoveryStartsOf(lines, [
    { atMs: 45, replayLsn: Lsn.parse('0/3022A10') },
    { atMs: 95, replayLsn: Lsn.parse('0/446F678') },
  ])

  test('those are told in which it replayed, with how far it came', () => {
    expect(starts.map(({ progress }) => progress.map(({ atMs, lsn }) => [atMs, lsn.toString()]))).toEqual([
      [
        [20, '0/30016E8'],
        [40, '0/302CA88'],
        [45, '0/302CA88'],
      ],
      [
        [70, '0/30016E8'],
        [80, '0/302CA88'],
        [90, '0/446F678'],
        [95, '0/446F678'],
        [100, '0/446F678'],
      ],
    ])
  })

  test('each has its own events', () => {
    expect(starts.map(({ events }) => events.map(({ name }) => name))).toEqual([
      ['base restored', 'replaying', 'consistent'],
      ['base restored', 'replaying', 'consistent', 'target reached'],
    ])
  })

  test('a refusal is the recovering process’s, not that of a session that came too early', () => {
    expect(starts.map(({ refusal }) => refusal)).toEqual([
      { atMs: 50, sentence: 'recovery ended before configured recovery target was reached' },
      undefined,
    ])
  })
})

test('replay never goes back within a start, whatever was seen in which order', () => {
  const samples = fc.array(
    fc.record({ atMs: fc.integer({ min: 0, max: 120 }), replayLsn: fc.bigInt({ min: 1n, max: 2n ** 40n }) }),
  )
  fc.assert(
    fc.property(samples, seen => {
      const starts = recoveryStartsOf(
        lines,
        seen.map(({ atMs, replayLsn }) => ({
          atMs,
          replayLsn: Lsn.parse(`${(replayLsn >> 32n).toString(16)}/${(replayLsn & 0xffff_ffffn).toString(16)}`),
        })),
      )
      for (const { progress } of starts)
        for (const [index, { atMs, lsn }] of progress.entries()) {
          const before = progress[index - 1]
          expect(before === undefined || (before.atMs <= atMs && before.lsn.isAtOrBefore(lsn))).toBe(true)
        }
    }),
  )
})
