import fc from 'fast-check'
import { expect, test } from 'vitest'
import { serverTimeMicroseconds } from '../workload/server-time.ts'
import { resolveTargetTime } from './target-time.ts'

test.each([
  ['2026-11-23 01:48:50.123456+00', '2026-11-23 01:48:50.123456+00'],
  ['2026-11-23T01:48:50Z', '2026-11-23 01:48:50+00'],
  ['2026-11-23 01:48:50 UTC', '2026-11-23 01:48:50+00'],
  ['2026-11-23 01:48:50.120000+0545', '2026-11-23 01:48:50.12+05:45'],
  ['2026-11-23 01:48:50.000001 -03:30', '2026-11-23 01:48:50.000001-03:30'],
  ['2026-11-23 01:48:50-00', '2026-11-23 01:48:50+00'],
  ['1890-01-01 00:00:00 Europe/Berlin', '1890-01-01 00:00:00+00:53:28'],
  ['2026-11-23 01:48:50 Europe/Berlin', '2026-11-23 01:48:50+01'],
  ['2026-07-23 01:48:50 Europe/Berlin', '2026-07-23 01:48:50+02'],
  ['2026-11-23 01:48:50 America/Argentina/Buenos_Aires', '2026-11-23 01:48:50-03'],
  // Its sign is that of POSIX, here and in PostgreSQL: three hours west.
  ['2026-11-23 01:48:50 Etc/GMT+3', '2026-11-23 01:48:50-03'],
])('%s is %s', (text, resolved) => {
  expect(resolveTargetTime(text)).toBe(resolved)
})

test.each([
  ['2026-11-23 01:48:50', 'time-without-offset', /write 2026-11-23 01:48:50\+00 if it was noted in UTC/],
  ['2026-11-23T01:48:50.5', 'time-without-offset', /2026-11-23 01:48:50\.5 Europe\/Berlin$/],
  [
    '2026-10-25 02:30:00 Europe/Berlin',
    'time-ambiguous',
    /write 2026-10-25 02:30:00\+02 for the first time, or 2026-10-25 02:30:00\+01 for the second$/,
  ],
  [
    '2026-11-01 01:00:00.25 America/New_York',
    'time-ambiguous',
    /2026-11-01 01:00:00\.25-04 for the first time, or 2026-11-01 01:00:00\.25-05 for the second$/,
  ],
  [
    '2026-03-29 02:30:00 Europe/Berlin',
    'time-skipped',
    /Write 2026-03-29 02:30:00\+01 or 2026-03-29 02:30:00\+02, whichever is meant$/,
  ],
  // A whole day, when the islands went over to the other side of the date line.
  ['2011-12-30 12:00:00 Pacific/Apia', 'time-skipped', /12:00:00-10 or 2011-12-30 12:00:00\+14, /],
  ['2026-11-23 01:48:50 Europe/Atlantis', 'time-malformed', /names no time zone/],
  ['2026-11-23 01:48:50 IST', 'time-malformed', /is no time/],
  ['2026-11-23 01:48:50 UTC+3', 'time-malformed', /is no time/],
  ['2026-11-23 01:48:50+16', 'time-malformed', /has no offset that exists/],
  ['2026-11-23 01:48:50+05:60', 'time-malformed', /has no offset that exists/],
  ['2026-02-30 01:48:50+00', 'time-malformed', /is no time/],
  ['2026-11-23 24:00:00+00', 'time-malformed', /is no time/],
  ['2026-11-23 01:48:60+00', 'time-malformed', /is no time/],
  ['2026-11-23 01:48:50.1234567+00', 'time-malformed', /six decimals at most/],
  ['23/11/2026 01:48:50+00', 'time-malformed', /is no time/],
  ['2026-11-23 01:48+00', 'time-malformed', /is no time/],
  ['yesterday', 'time-malformed', /is no time/],
  ['infinity', 'time-malformed', /is no time/],
  ['', 'time-malformed', /is no time/],
])('%j is refused: %s', (text, kind, message) => {
  expect(() => resolveTargetTime(text)).toThrow(
    expect.objectContaining({ kind, message: expect.stringMatching(message) }),
  )
})

const zones = Intl.supportedValuesOf('timeZone').filter(zone => zone.includes('/'))
const formats = new Map<string, Intl.DateTimeFormat>()

/** What the clocks of a zone show, by another of Intl's ways; `sv-SE` writes a time as ISO 8601 does. */
function wallAt(zone: string, second: number): string {
  const format =
    formats.get(zone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(zone, format)
  return format.format(second * 1000)
}

function offsetAt(zone: string, second: number): number {
  return Date.parse(`${wallAt(zone, second)}Z`) / 1000 - second
}

/** The moments within a day and a half at which the clocks of a zone show that: slow and obvious. */
function momentsOf(zone: string, wall: string, near: number): number[] {
  const quarters = Array.from({ length: 289 }, (_, index) => near + (index - 144) * QUARTER)
  return quarters.filter(second => wallAt(zone, second) === wall)
}

/** Of an hour. By less no clocks have been changed since 1990. */
const QUARTER = 900

/** A moment up to three hours from the change that a zone's clocks saw in that year; from the year's beginning where there was none. */
const moments = fc
  .record({
    zone: fc.constantFrom(...zones),
    year: fc.integer({ min: 1990, max: 2036 }),
    nth: fc.nat({ max: 1 }),
    quarters: fc.integer({ min: -12, max: 12 }),
    seconds: fc.integer({ min: 0, max: QUARTER - 1 }),
    micros: fc.integer({ min: 0, max: 999_999 }),
  })
  .map(({ zone, year, nth, quarters, seconds, micros }) => {
    const days = Array.from({ length: 365 }, (_, day) => Date.UTC(year) / 1000 + day * 86_400)
    const changed = days.filter(day => offsetAt(zone, day) !== offsetAt(zone, day + 86_400))
    let change = changed[nth % changed.length] ?? Date.UTC(year) / 1000
    while (changed.length > 0 && offsetAt(zone, change) === offsetAt(zone, change + QUARTER)) change += QUARTER
    return { zone, second: change + quarters * QUARTER + seconds, before: offsetAt(zone, change), micros }
  })

test('around every change of the clocks, a time is resolved to its moment, or refused as one that came twice or never', () => {
  fc.assert(
    fc.property(moments, ({ zone, second, before, micros }) => {
      // As the clocks would show it had they not been changed: some of these never were.
      const wall = new Date((second + before) * 1000).toISOString().slice(0, 19).replace('T', ' ')
      const fraction = String(micros).padStart(6, '0')
      const resolve = () => resolveTargetTime(`${wall}.${fraction} ${zone}`)
      const [moment, ...others] = momentsOf(zone, wall, second)
      if (moment !== undefined && others.length === 0)
        expect(serverTimeMicroseconds(resolve())).toBe(BigInt(moment) * 1_000_000n + BigInt(micros))
      else
        expect(resolve).toThrow(
          expect.objectContaining({ kind: moment === undefined ? 'time-skipped' : 'time-ambiguous' }),
        )
    }),
    // One in about forty is a time that came twice.
    { numRuns: 500 },
  )
})

test('a time with an offset is the same moment as before, and resolves to itself from then on', () => {
  fc.assert(
    fc.property(moments, fc.integer({ min: -63, max: 63 }), ({ second, micros }, quarters) => {
      const offset = `${quarters < 0 ? '-' : '+'}${String(Math.floor(Math.abs(quarters) / 4)).padStart(2, '0')}:${String((Math.abs(quarters) % 4) * 15).padStart(2, '0')}`
      const wall = new Date((second + quarters * QUARTER) * 1000).toISOString().slice(0, 19)
      const resolved = resolveTargetTime(`${wall}.${String(micros).padStart(6, '0')}${offset}`)
      expect(serverTimeMicroseconds(resolved)).toBe(BigInt(second) * 1_000_000n + BigInt(micros))
      expect(resolveTargetTime(resolved)).toBe(resolved)
    }),
  )
})
