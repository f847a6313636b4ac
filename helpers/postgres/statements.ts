const NAME = String.raw`[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*`

/** One token at the beginning of the rest: what holds semicolons that end nothing, and else a character. `open`: it is not closed. */
const TOKEN = new RegExp(
  [
    String.raw`--[^\n]*`,
    String.raw`\b[eE]'(?:[^'\\]|\\.|'')*'`,
    `'(?:[^']|'')*'`,
    `"(?:[^"]|"")*"`,
    // Behind a letter or a digit, a dollar sign is part of a name or a number.
    String.raw`(?<![\w$\u0080-\uffff])\$(?<tag>(?:${NAME})?)\$.*?\$\k<tag>\$`,
    String.raw`(?<open>\b[eE]'|['"]|(?<![\w$\u0080-\uffff])\$(?:${NAME})?\$)`,
    String.raw`/\*`,
    '.',
  ].join('|'),
  'suy',
)

/**
 * The statements of a text, without the semicolons between them; what holds nothing but comments is none. `BEGIN ATOMIC` is
 * not known here.
 * @throws {SyntaxError} where something quoted is not ended, or a backslash stands outside of quotes.
 * @see PostgreSQL documentation, "Lexical Structure"
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let statement = ''
  let isEmpty = true
  const end = () => {
    if (!isEmpty) statements.push(statement.trim())
    statement = ''
    isEmpty = true
  }
  for (let at = 0; at < sql.length; ) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(sql)
    if (match?.groups?.open) throw new SyntaxError(`${match.groups.open} is not closed in: ${sql}`)
    const [token = ''] = match ?? []
    const whole = token === '/*' ? sql.slice(at, endOfComment(sql, at)) : token
    at += whole.length
    if (whole === ';') end()
    else if (whole === '\\') throw new SyntaxError(`a backslash stands outside of quotes in: ${sql}`)
    else {
      statement += whole
      if (!/^(?:--|\/\*|\s)/.test(whole)) isEmpty = false
    }
  }
  end()
  return statements
}

/** Comments nest. */
function endOfComment(sql: string, from: number): number {
  let depth = 0
  for (const { 0: mark, index } of sql.slice(from).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1
    if (depth === 0) return from + index + 2
  }
  throw new SyntaxError(`a comment is not closed in: ${sql}`)
}

/**
 * A value as SQL, of no type yet, so that the server gives it the one that is wanted where it stands: as `pg` sends its parameters.
 * @throws {TypeError} for what PostgreSQL has no text for.
 */
export function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  return quoted(textOf(value))
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(elementOf).join(',')}}`
  if (Buffer.isBuffer(value)) return `\\x${value.toString('hex')}`
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol')
    if (typeof value !== 'object' || value === null || value.toString === Object.prototype.toString)
      // A value such as an LSN prints itself.
      throw new TypeError(`there is no SQL for a ${typeof value}`)
  return String(value)
}

function elementOf(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return textOf(value)
  return `"${textOf(value).replaceAll(/[\\"]/g, '\\$&')}"`
}

/** Means the same with `standard_conforming_strings` and without. */
function quoted(text: string): string {
  if (text.includes('\0')) throw new TypeError('a text with a zero byte cannot be sent to PostgreSQL')
  const doubled = text.replaceAll("'", "''")
  return text.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
