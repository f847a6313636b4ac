import { expect, it } from 'vitest'
import { parseProgress } from '../evidence/progress.ts'
import { Lsn } from '../postgres/lsn.ts'
import { ReplayProgress } from './replay-progress.ts'

const MEBIBYTE = 2 ** 20
const backup = { startLsn: Lsn.parse('0/2000028'), segmentSizeBytes: 16 * MEBIBYTE }

function following(to?: Lsn) {
  const told: string[] = []
  let nowMs = 0
  const replay = new ReplayProgress(
    message => told.push(message),
    backup,
    to,
    () => (nowMs += 1_000),
  )
  const seen = () => told.map(parseProgress).map(({ done, of, at }) => ({ done, of, at }))
  return { replay, seen }
}

it('begins with the backup, goes by segments until the server takes queries, then by LSN', () => {
  const { replay, seen } = following(Lsn.parse('0/4000028'))
  replay.follow({})
  replay.follow({ segment: '000000010000000000000003' })
  replay.follow({ segment: '000000010000000000000003', replayLsn: Lsn.parse('0/3800000') })
  replay.follow({ replayLsn: Lsn.parse('0/4000028') })
  expect(seen()).toEqual([
    { done: 0, of: 32 * MEBIBYTE, at: '0/2000028 of 0/4000028' },
    { done: 16 * MEBIBYTE - 0x28, of: 32 * MEBIBYTE, at: '0/3000000 of 0/4000028' },
    { done: 24 * MEBIBYTE - 0x28, of: 32 * MEBIBYTE, at: '0/3800000 of 0/4000028' },
    { done: 32 * MEBIBYTE, of: 32 * MEBIBYTE, at: '0/4000028 of 0/4000028' },
  ])
})

it('tells what is replayed, and no end, where the target is no place in WAL', () => {
  const { replay, seen } = following()
  replay.follow({ replayLsn: Lsn.parse('0/3000028') })
  expect(seen()).toEqual([{ done: 16 * MEBIBYTE, of: undefined, at: '0/3000028' }])
})

it('never goes back: the segment that is fetched may begin before what is replayed', () => {
  const { replay, seen } = following()
  replay.follow({ replayLsn: Lsn.parse('0/3800000') })
  replay.follow({ segment: '000000010000000000000003' })
  replay.follow({ segment: '000000010000000000000001' })
  expect(seen().map(({ at }) => at)).toEqual(['0/3800000', '0/3800000', '0/3800000'])
})
