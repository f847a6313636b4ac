const REDACTED = '[redacted]'

/** What is a secret wherever it is from and whatever it is: the password in a URL, a private key. */
const ALWAYS = [
  /([a-z][a-z0-9+.-]*:\/\/[^\s/:@"'\\]*:)[^\s/@"'\\]+(?=@)/gi,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]+?(?=-----END [A-Z ]*PRIVATE KEY-----|$)/g,
]

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/**
 * A copy of `value` as plain JSON data in which no secret occurs, neither as it is nor as it would stand in a URL or in
 * JSON text; nor the password of any URL, or a private key. What JSON cannot hold becomes text (a bigint, `NaN`, an object seen further up) or is left out (`undefined`,
 * functions), so that writing evidence never fails on what a drill observed.
 */
export function redact(value: unknown, secrets: readonly string[]): Json {
  return plain(value, redactor(secrets), [])
}

/** As `redact`, for one text. */
export function redactText(text: string, secrets: readonly string[]): string {
  return redactor(secrets)(text)
}

function redactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter(secret => secret !== '')
    // By way of a buffer, since half a surrogate pair has no form in a URL.
    .flatMap(secret => [
      secret,
      encodeURIComponent(Buffer.from(secret).toString()),
      JSON.stringify(secret).slice(1, -1),
    ])
    // One secret may be part of another: the longest goes first, or its rest would stay.
    .sort((a, b) => b.length - a.length)
  return text =>
    ALWAYS.reduce(
      (redacted, pattern) => redacted.replace(pattern, `$1${REDACTED}`),
      forms.reduce((redacted, form) => redacted.replaceAll(form, REDACTED), text),
    )
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
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined && typeof item !== 'function')
      .map(([key, item]) => [redacted(key), plain(item, redacted, path)]),
  )
}
