import { harmless } from '../layout.ts'
import type { Report } from '../report.ts'

/** What changes the direction of what is beside it, so that what is read is not what is there; and what no page may hold. */
const STEERING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu

/** Half a character. */
const LONE_SURROGATE = /\p{Cs}/gu

/** Text of drills, servers and users, without what a reader cannot see: colours, control characters, changes of direction. */
export function printableText(text: string): string {
  return harmless(text).replaceAll(STEERING, '').replaceAll(LONE_SURROGATE, '\ufffd')
}

/** `report` with every text in it, and every name of a field, as `printableText` has it. */
export function printable(report: Report): Report {
  return printableValue(report) as Report
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printableText(value)
  if (Array.isArray(value)) return value.map(printableValue)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [printableText(key), printableValue(one)]))
}
