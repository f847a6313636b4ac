import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { behindSeconds, windowBetween } from './recovery-window.ts'

const NOW_MS = Date.parse('2026-01-02T04:00:00Z')
const at = (secondsAgo: number) => new Date(NOW_MS - secondsAgo * 1000).toISOString().replace('Z', '000Z')
const NOW = at(0)
const lag = { segments: 1, bytes: 100 }

describe('how far the archive is behind now', () => {
  test('is nothing when it lacks nothing, however long ago the last commit was', () => {
    const facts = { now: NOW, lastCommit: at(9999), archiveTimeoutSeconds: 60, oldestWaitSeconds: undefined }
    expect(behindSeconds({ ...facts, lag: { segments: 0, bytes: 0 } })).toBe(0)
  })

  test('is not known when nothing bounds it', () => {
    expect(
      behindSeconds({ now: NOW, lag, lastCommit: undefined, archiveTimeoutSeconds: 0, oldestWaitSeconds: undefined }),
    ).toBeUndefined()
  })

  test('is never less than the age of a commit that is not archived, and never below nothing', () => {
    const seconds = fc.nat(100_000)
    fc.assert(
      fc.property(
        // When the last archived and the oldest that is not were made, by the rules that a server archives by.
        seconds,
        seconds,
        fc.integer({ min: 1, max: 3600 }),
        fc.option(seconds, { nil: undefined }),
        (lastAgo, age, archiveTimeoutSeconds, oldestWaitSeconds) => {
          // It came after the last archived one; it has waited for the timeout at the most, and then for the archiver.
          const oldest = Math.min(age, lastAgo, archiveTimeoutSeconds + (oldestWaitSeconds ?? 0))
          const told = behindSeconds({
            now: NOW,
            lag,
            lastCommit: at(lastAgo),
            archiveTimeoutSeconds,
            oldestWaitSeconds,
          })
          expect(told).toBeGreaterThanOrEqual(oldest)
          expect(told).toBeLessThanOrEqual(lastAgo)
        },
      ),
    )
  })

  test('is nothing by a clock that was set back', () => {
    const facts = { now: NOW, lag, archiveTimeoutSeconds: 0, oldestWaitSeconds: undefined }
    expect(behindSeconds({ ...facts, lastCommit: at(-5) })).toBe(0)
  })
})

describe('the window', () => {
  test('begins with the earlier of what is known of the end of the backup, and ends no earlier', () => {
    const moment = fc.option(fc.integer({ min: 0, max: 1000 }).map(at), { nil: undefined })
    fc.assert(
      fc.property(moment, moment, moment, (stoppedAt, firstCommit, lastCommit) => {
        const { from, to } = windowBetween({ stoppedAt, firstCommit, lastCommit })
        expect(from === undefined).toBe(stoppedAt === undefined && firstCommit === undefined)
        expect(to === undefined).toBe(lastCommit === undefined)
        for (const one of [stoppedAt, firstCommit])
          if (from && one) expect(Date.parse(from)).toBeLessThanOrEqual(Date.parse(one))
        if (from && to) expect(Date.parse(from)).toBeLessThanOrEqual(Date.parse(to))
        if (lastCommit && to) expect(Date.parse(to)).toBeGreaterThanOrEqual(Date.parse(lastCommit))
      }),
    )
  })

  test('tells microseconds from whole seconds', () => {
    const stoppedAt = '2026-01-02T03:00:05Z'
    expect(windowBetween({ stoppedAt, firstCommit: '2026-01-02T03:00:05.000001Z', lastCommit: undefined }).from).toBe(
      stoppedAt,
    )
    expect(windowBetween({ stoppedAt, firstCommit: '2026-01-02T03:00:04.999999Z', lastCommit: undefined }).from).toBe(
      '2026-01-02T03:00:04.999999Z',
    )
  })
})
