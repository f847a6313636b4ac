import { Failure } from '../failure.ts'

const DAY_MS = 24 * 3_600_000

/**
 * The moment that an operator noted, with the offset of the clock that it was noted from, in the form in which PostgreSQL prints
 * times; microseconds are kept. The text ends with an offset (`+05:45`, `Z`) or the name of a time zone (`Europe/Berlin`).
 *
 * PostgreSQL takes more, and guesses: without an offset it reads a time by the `timezone` of the restored server, of a time that
 * came twice when the clocks went back it takes the second, and one that was skipped it moves. `UTC+3` is three hours *west* of
 * Greenwich to it, and `IST` whatever `timezone_abbreviations` says. All of these are refused.
 * @throws {Failure} `time-malformed`, `time-without-offset`, `time-ambiguous` or `time-skipped`, saying what to write instead.
 * @see PostgreSQL documentation, "Handling of Invalid or Ambiguous Timestamps" and "POSIX Time Zone Specifications"
 */
export function resolveTargetTime(text: string): string {
  const match =
    /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?: ?(Z|UTC)| ?([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?| (\w+(?:\/[\w+-]+)+)|)$/.exec(
      text,
    )
  const [, date = '', time = '', fraction = '', utc, sign, hours = '0', minutes = '0', seconds = '0', zone] =
    match ?? []
  const wallMs = Date.parse(`${date}T${time}Z`)
  // A date of the calendar and a time of the day: JavaScript takes the 30th of February for the 2nd of March.
  if (!match || Number.isNaN(wallMs) || !new Date(wallMs).toISOString().startsWith(`${date}T${time}`))
    throw malformed(text, 'is no time')
  const micros = fraction.replace(/0+$/, '')
  const wall = `${date} ${time}${micros && `.${micros}`}`
  if (utc !== undefined) return `${wall}+00`
  if (zone !== undefined) return `${wall}${offsetText(theOneOffset(text, wall, wallMs, zone))}`
  if (sign === undefined)
    throw new Failure(
      'time-without-offset',
      `'${text}' does not say on which clock, and PostgreSQL would take that of the restored server: write ${wall}+00 if it was noted in UTC, or the offset or time zone of the clock, such as ${wall} Europe/Berlin`,
    )
  // As far as PostgreSQL goes, which is further than any clock.
  if (Number(hours) > 15 || Number(minutes) > 59 || Number(seconds) > 59)
    throw malformed(text, 'has no offset that exists')
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return `${wall}${offsetText(sign === '-' ? -offset : offset)}`
}

function malformed(text: string, problem: string, options?: ErrorOptions): Failure {
  return new Failure(
    'time-malformed',
    `'${text}' ${problem}: write one such as 2026-11-23 01:48:50.123456+00, with six decimals at most, and with an offset or a time zone such as Europe/Berlin behind it`,
    {},
    options,
  )
}

function theOneOffset(text: string, wall: string, wallMs: number, zone: string): number {
  // On either side of any change near that time: no zone has ever changed its clocks twice within two days.
  const around = [-DAY_MS, DAY_MS].map(ms => offsetSeconds(text, zone, wallMs + ms))
  const offsets = [...new Set(around)].filter(one => offsetSeconds(text, zone, wallMs - one * 1000) === one)
  const [offset] = offsets
  if (offset !== undefined && offsets.length === 1) return offset
  const [before, after] = around.map(one => `${wall}${offsetText(one)}`)
  throw offset === undefined
    ? new Failure(
        'time-skipped',
        `'${text}' never was: the clocks were put forward past it. Write ${before} or ${after}, whichever is meant`,
        { before, after },
      )
    : new Failure(
        'time-ambiguous',
        `'${text}' came twice, before and after the clocks were put back: write ${before} for the first time, or ${after} for the second`,
        { before, after },
      )
}

/** Of a zone's clocks from UTC. */
function offsetSeconds(text: string, zone: string, atMs: number): number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  } catch (cause) {
    throw malformed(text, 'names no time zone', { cause })
  }
  const name = format.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? []
  const offset = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return sign === '-' ? -offset : offset
}

function offsetText(seconds: number): string {
  const parts = [3600, 60, 1].map(unit =>
    String(Math.floor(Math.abs(seconds) / unit) % (unit === 3600 ? 100 : 60)).padStart(2, '0'),
  )
  while (parts.length > 1 && parts.at(-1) === '00') parts.pop()
  return `${seconds < 0 ? '-' : '+'}${parts.join(':')}`
}
