/**
 * Microseconds since 1970 of a `timestamptz` as PostgreSQL prints it in its ISO style, such as `2026-11-23 01:48:50.12345+00`.
 * A JavaScript date would cut the microseconds, by which commits are told apart.
 * @throws {RangeError} for any other text, one without an offset included.
 * @see PostgreSQL documentation, "Date/Time Output"
 */
export function serverTimeMicroseconds(text: string): bigint {
  const match =
    /^(\d{4,}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)$/.exec(text)
  const wholeMs = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN
  if (!match || Number.isNaN(wholeMs))
    throw new RangeError(`'${text}' is not a time with an offset, such as 2026-11-23 01:48:50.123456+00`)
  const [, , , fraction = '', , sign, hours = '0', minutes = '0', seconds = '0'] = match
  const offsetSeconds = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  return (
    BigInt(wholeMs) * 1000n +
    BigInt(fraction.padEnd(6, '0')) -
    BigInt(sign === '-' ? -offsetSeconds : offsetSeconds) * 1_000_000n
  )
}
