import { secondsText } from '../layout.ts'

/** `48.3 s`, `1 min 55 s`, `2 h 3 min`: from a minute on nobody counts in seconds. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return secondsText(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60]
  const parts =
    hours > 0
      ? ([
          [hours, 'h'],
          [minutes, 'min'],
        ] as const)
      : ([
          [minutes, 'min'],
          [rest, 's'],
        ] as const)
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : `${count} ${unit}`)).join(' ')
}

/** `2025-11-23 01:02:03 UTC`, of an ISO 8601 moment in UTC. */
export function momentText(moment: string): string {
  return `${moment.slice(0, 10)} ${moment.slice(11, 19)} UTC`
}

/** An LSN such as `16/B374D848` as its number; undefined for what is none. */
export function lsnNumber(text: string): number | undefined {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? []
  if (high === undefined || low === undefined) return undefined
  // Exact up to 2^53: no server writes 8 PiB of WAL.
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16)
}

export function lsnText(number: number): string {
  const hex = (part: number) => part.toString(16).toUpperCase()
  return `${hex(Math.floor(number / 2 ** 32))}/${hex(number % 2 ** 32)}`
}
