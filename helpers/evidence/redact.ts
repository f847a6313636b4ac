import { redactCommand } from '../environment.ts'
import { hideRecognised, isPath, saysSecret } from './redact-patterns.ts'

const REDACTED = '[redacted]'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/**
 * A copy of `value` as plain JSON data in which no secret occurs, neither as it is nor as it would stand in a URL, JSON,
 * XML, base64 or hexadecimal; nor, known or not, what is recognised as one. What JSON cannot hold becomes text (a bigint, `NaN`, an
 * object seen further up) or is left out (`undefined`, functions), so that writing evidence never fails on what a drill observed.
 */
export function redact(value: unknown, secrets: readonly string[]): Json {
  return plain(value, redactor(secrets), [])
}

/** As `redact`, for one text. The one filter of all that a run leaves or prints: evidence, attached files, terminal. */
export function redactText(text: string, secrets: readonly string[]): string {
  return redactor(secrets)(text)
}

/** Where PostgreSQL's log and its configuration files quote a command. */
const QUOTED_COMMAND =
  /(\bcommand was: |\b(?:recovery_end|archive_cleanup)_command "|^[ \t]*\w{1,40}_command[ \t]*=[ \t]*')(.*)$/gm

/** In characters. A longer one is hidden whole: the time that a command takes may grow with the square of its length. */
const LONGEST_COMMAND = 10_000

function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(partsOf).flatMap(formsOf))]
    // One secret may be part of another: the longest goes first, or its rest would stay.
    .sort((a, b) => b.length - a.length)
  return text => {
    const unknown = forms.reduce((redacted, form) => redacted.replaceAll(form, REDACTED), text)
    const uncommanded = unknown.replace(
      QUOTED_COMMAND,
      (_, before: string, command: string) =>
        before + (command.length > LONGEST_COMMAND ? REDACTED : redactCommand(command)),
    )
    return hideRecognised(uncommanded, REDACTED)
  }
}

/** In characters: of a secret of several lines, a shorter one may be any word. */
const SHORTEST_LINE = 8

function partsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map(line => line.trim())
  return [secret, ...lines.filter(line => line.length >= SHORTEST_LINE)].filter(part => part !== '')
}

/** As it is, and as it stands in a URL, JSON, XML, base64 and hexadecimal. */
function formsOf(secret: string): string[] {
  // By way of a buffer, since half a surrogate pair has no form in a URL.
  const bytes = Buffer.from(secret)
  const xml = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return [
    secret,
    encodeURIComponent(bytes.toString()),
    encodeURI(bytes.toString()),
    JSON.stringify(secret).slice(1, -1),
    xml,
    xml.replaceAll('"', '&quot;'),
    xml.replaceAll('"', '&quot;').replaceAll("'", '&apos;'),
    xml.replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
    ...[bytes.toString('hex'), ...base64FormsOf(bytes)].filter(form => form.length >= SHORTEST_LINE),
  ]
}

/** By how many bytes stand before it; without what depends on those beside it, which says little of its first and last byte. */
function base64FormsOf(bytes: Buffer): string[] {
  const whole = [bytes.toString('base64'), bytes.toString('base64url')]
  const within = [0, 1, 2].flatMap(before => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '')
    const form = text.slice(before === 0 ? 0 : before + 1, -1)
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [...whole, ...within]
}

function plain(value: unknown, redacted: (text: string) => string, above: readonly object[]): Json {
  if (typeof value === 'string') return redacted(value)
  if (typeof value === 'boolean' || value === null || value === undefined) return value ?? null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object') return redacted(String(value))
  if (value instanceof Error) return redacted(String(value))
  if (above.includes(value)) return '[circular]'
  const path = [...above, value]
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON(), redacted, path)
  if (Array.isArray(value)) return value.map(item => plain(item, redacted, path))
  const fields = Object.entries(value)
    .filter(([, item]) => item !== undefined && typeof item !== 'function')
    .map(([key, item]) => [redacted(key), plain(item, redacted, path)] as const)
  return Object.fromEntries(fields.map(([key, item]) => [key, isHidden(key, item) ? REDACTED : item]))
}

function isHidden(key: string, item: Json): boolean {
  return typeof item === 'string' && item !== '' && saysSecret(key) && !isPath(item)
}
