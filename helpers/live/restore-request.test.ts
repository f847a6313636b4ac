import { describe, expect, it } from 'vitest'
import { CannotRun } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { LiveSnapshot } from '../readiness/snapshot-file.ts'
import type { RecoveryTarget } from '../recovery/recovery-target.ts'
import { atRecordEnds, refuseOutOfReach } from './restore-request.ts'

const NOW = '2026-11-27T12:00:00.000Z'
const backup = {
  where: '/backup',
  startLsn: Lsn.parse('0/2000028'),
  stopLsn: Lsn.parse('0/2000100'),
  stoppedAt: '2026-11-27 11:00:00+00',
}
const unended = { ...backup, stopLsn: undefined, stoppedAt: undefined }
const lsn = (text: string): RecoveryTarget => ({ kind: 'lsn', lsn: Lsn.parse(text), inclusive: false })
const time = (text: string): RecoveryTarget => ({ kind: 'time', time: text, inclusive: false })
const at = (toLsn: string) => ({ toLsn: Lsn.parse(toLsn) }) as LiveSnapshot

it('the moment of a snapshot is where a record ends, not behind the header of the next page', () => {
  const moment = { fromLsn: Lsn.parse('0/34002018'), toLsn: Lsn.parse('0/35000028') }
  expect(JSON.stringify(atRecordEnds(moment, 2 ** 24))).toBe('{"fromLsn":"0/34002000","toLsn":"0/35000000"}')
})

describe('a target that no archive could bring the backup to is refused', () => {
  it.each([
    ['an LSN before the end', backup, lsn('0/20000F8'), /lies before the end of the backup \/backup at 0\/2000100/],
    ['an LSN before the start', unended, lsn('0/2000020'), /at 0\/2000028/],
    ['a time before the end', backup, time('2026-11-27 11:30:00+01'), /at 2026-11-27 11:00:00\+00/],
    ['a time to come', unended, time('2026-11-27 12:00:00.000001+00'), /lies in the future/],
  ])('%s', (_, known, target, message) => {
    const refused = () => refuseOutOfReach({ backup: known, target, snapshot: undefined }, NOW)
    expect(refused).toThrow(CannotRun)
    expect(refused).toThrow(message)
  })

  it('and a snapshot that was taken before the backup ended', () => {
    expect(() => refuseOutOfReach({ backup, target: { kind: 'latest' }, snapshot: at('0/20000F8') }, NOW)).toThrow(
      /^the snapshot was taken at 0\/20000F8, before the backup \/backup ended at 0\/2000100/,
    )
  })

  it.each([
    ['the end itself', backup, lsn('0/2000100')],
    ['what lies between start and an end that nobody knows', unended, lsn('0/2000030')],
    ['a time, where nobody knows when the backup ended', unended, time('2020-01-01 00:00:00+00')],
    ['the time of now', backup, time('2026-11-27 13:00:00+01')],
    ['what only the WAL knows', backup, { kind: 'name', name: 'a' } as const],
  ])('but not %s', (_, known, target) => {
    refuseOutOfReach({ backup: known, target, snapshot: at('0/2000100') }, NOW)
  })
})
