import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { ServerLog } from '../postgres/server-log.ts'
import { recoveryEvents } from './recovery-events.ts'
import type { RecoveryTarget } from './recovery-target.ts'
import { assertStop, type Stop } from './stop.ts'

function stopOf(line: string): Stop {
  const log = new ServerLog()
  log.append(`2026-01-02 03:04:05.678 UTC [42] startup LOG:  recovery stopping ${line}\n`)
  const { stopped } = recoveryEvents({ log, startMark: 0 })
  if (!stopped) throw new Error(`no stop is told of in: ${line}`)
  return stopped
}

function judge(target: RecoveryTarget, stopped: Stop): string {
  try {
    assertStop('restored', target, stopped)
    return 'right'
  } catch (error) {
    return (error as { kind?: string }).kind ?? String(error)
  }
}

const COMMIT = 'commit of transaction 742, time 2026-01-02 03:04:05.600001+00'
const MOMENT = '2026-01-02 03:04:05.600001+00'

// As 15 to 18 write them.
test.each<[string, RecoveryTarget, string]>([
  ['after reaching consistency', { kind: 'immediate' }, 'right'],
  [`before ${COMMIT}`, { kind: 'immediate' }, 'wrong-target'],
  ['at restore point "before", time 2026-01-02 03:04:05.6+00', { kind: 'name', name: 'before' }, 'right'],
  ['at restore point "be"fore", time 2026-01-02 03:04:05.6+00', { kind: 'name', name: 'be"fore' }, 'right'],
  ['at restore point "before that", time 2026-01-02 03:04:05.6+00', { kind: 'name', name: 'before' }, 'wrong-target'],
  ['after reaching consistency', { kind: 'name', name: 'before' }, 'wrong-target'],
  [`before ${COMMIT}`, { kind: 'xid', xid: '742', inclusive: false }, 'right'],
  [`after ${COMMIT}`, { kind: 'xid', xid: '742', inclusive: true }, 'right'],
  [`after ${COMMIT.replace('commit', 'abort')}`, { kind: 'xid', xid: '742', inclusive: true }, 'right'],
  [`after ${COMMIT}`, { kind: 'xid', xid: '742', inclusive: false }, 'recovered-past-target'],
  [`before ${COMMIT}`, { kind: 'xid', xid: '742', inclusive: true }, 'target-not-reached'],
  [`after ${COMMIT}`, { kind: 'xid', xid: '743', inclusive: true }, 'wrong-target'],
  [`after ${COMMIT}`, { kind: 'xid', xid: '4294968038', inclusive: true }, 'right'],
  [`before ${COMMIT}`, { kind: 'time', time: MOMENT, inclusive: false }, 'right'],
  [`before ${COMMIT}`, { kind: 'time', time: MOMENT, inclusive: true }, 'target-not-reached'],
  [`before ${COMMIT}`, { kind: 'time', time: '2026-01-02T08:49:05.6+05:45', inclusive: true }, 'right'],
  [
    `before ${COMMIT}`,
    { kind: 'time', time: '2026-01-01T22:34:05.600002-04:30', inclusive: false },
    'target-not-reached',
  ],
  [`after ${COMMIT}`, { kind: 'time', time: MOMENT, inclusive: true }, 'wrong-target'],
  ['before WAL location (LSN) "0/4427268"', { kind: 'lsn', lsn: Lsn.parse('0/4427268'), inclusive: false }, 'right'],
  ['before WAL location (LSN) "0/04427268"', { kind: 'lsn', lsn: Lsn.parse('0/4427268'), inclusive: false }, 'right'],
  ['after WAL location (LSN) "0/4427268"', { kind: 'lsn', lsn: Lsn.parse('0/4427260'), inclusive: true }, 'right'],
  [
    'after WAL location (LSN) "0/4427268"',
    { kind: 'lsn', lsn: Lsn.parse('0/4427268'), inclusive: false },
    'recovered-past-target',
  ],
  [
    'before WAL location (LSN) "0/4427268"',
    { kind: 'lsn', lsn: Lsn.parse('0/4427270'), inclusive: false },
    'target-not-reached',
  ],
  [`after ${COMMIT}`, { kind: 'lsn', lsn: Lsn.parse('0/4427268'), inclusive: true }, 'wrong-target'],
  [`after ${COMMIT}`, { kind: 'latest' }, 'target-not-reached'],
])('stopped %s for %o: %s', (line, target, expected) => {
  expect(judge(target, stopOf(line))).toBe(expected)
})

test('the message names where recovery stopped, and the target', () => {
  expect(() => assertStop('restored', { kind: 'xid', xid: '7', inclusive: true }, stopOf(`after ${COMMIT}`))).toThrow(
    /^restored stopped after commit of transaction 742, time .*, which is not transaction 7, inclusive$/,
  )
})

/** What `recoveryStopsBefore` does with the transactions' ends that it reads, one after the other. */
function stopAtTime(times: readonly number[], end: number, inclusive: boolean): number | undefined {
  return times.find(time => (inclusive ? time > end : time >= end))
}

test('of the ends that a recovery reads, only one at which it may stop is right for a time, whatever its zone', () => {
  const microseconds = fc.integer({ min: 0, max: 999_999 })
  const ends = fc.array(microseconds, { minLength: 1, maxLength: 8 }).map(times => times.sort((a, b) => a - b))
  const zone = fc.integer({ min: -12 * 60, max: 14 * 60 })
  fc.assert(
    fc.property(ends, microseconds, fc.boolean(), zone, (times, end, inclusive, zone) => {
      const target = { kind: 'time', time: atZone(end, zone), inclusive } as const
      const first = stopAtTime(times, end, inclusive)
      for (const time of times) {
        const verdict = judge(target, stopOf(`before commit of transaction 9, time ${atZone(time, 0)}`))
        expect(verdict).toBe(first !== undefined && time >= first ? 'right' : 'target-not-reached')
      }
    }),
  )
})

test('of two neighbouring transactions, each is told from the other', () => {
  const xid = fc.integer({ min: 3, max: 2 ** 32 - 2 })
  const epoch = fc.bigInt({ min: 0n, max: 5n })
  fc.assert(
    fc.property(xid, epoch, fc.boolean(), (xid, epoch, inclusive) => {
      const target = { kind: 'xid', xid: String((epoch << 32n) + BigInt(xid)), inclusive } as const
      const side = inclusive ? 'after' : 'before'
      const stopAt = (one: number) => stopOf(`${side} commit of transaction ${one}, time ${MOMENT}`)
      expect([judge(target, stopAt(xid)), judge(target, stopAt(xid + 1))]).toEqual(['right', 'wrong-target'])
    }),
  )
})

/** A microsecond of one second, as a clock shows it that is so many minutes ahead of UTC. */
function atZone(microseconds: number, minutes: number): string {
  const [day, time = ''] = new Date(Date.UTC(2026, 0, 2, 3, 4, 5) + minutes * 60_000).toISOString().split('T')
  const two = (number: number) => String(number).padStart(2, '0')
  const ahead = Math.abs(minutes)
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`
  return `${day} ${time.slice(0, 8)}.${String(microseconds).padStart(6, '0')}${offset}`
}
