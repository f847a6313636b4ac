import { expect, test } from 'vitest'
import { serverTimeMicroseconds } from './server-time.ts'

test('microseconds are kept, with trailing zeros cut as PostgreSQL cuts them', () => {
  const whole = serverTimeMicroseconds('2026-11-23 01:48:50+00')
  expect(serverTimeMicroseconds('2026-11-23 01:48:50.123456+00') - whole).toBe(123_456n)
  expect(serverTimeMicroseconds('2026-11-23 01:48:50.12+00') - whole).toBe(120_000n)
})

test('offsets to either side, with minutes and seconds, name the same moment', () => {
  const moment = serverTimeMicroseconds('2026-11-23 12:00:00+00')
  for (const same of [
    '2026-11-23 17:30:00+05:30',
    '2026-11-23 02:30:00-09:30',
    '2026-11-23 12:00:10+00:00:10',
    '2026-11-23T12:00:00Z',
  ]) {
    expect(serverTimeMicroseconds(same)).toBe(moment)
  }
})

test.each(['2026-11-23 12:00:00', '23/11/2026 12:00:00+00', '2026-13-41 12:00:00+00', 'now', ''])(
  '%j is refused',
  text => {
    expect(() => serverTimeMicroseconds(text)).toThrow(RangeError)
  },
)
