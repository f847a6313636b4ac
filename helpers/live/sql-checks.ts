import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../failure.ts'
import type { Row } from '../postgres/session.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/** One statement of the user's that a restored server must answer with one row of one value, which is true. */
export interface SqlCheck {
  /** The comment line right above it, else where it stands. */
  title: string
  /** `checks.sql:12`. */
  where: string
  /** From the last line `-- database: …` before it; undefined: the restore's own. */
  database: string | undefined
  sql: string
}

export interface SqlCheckResult extends Pick<SqlCheck, 'title' | 'where'> {
  holds: boolean
  /** Never a value of the user's: only how many rows there were, or the server's complaint about the statement. */
  seen: string
}

/**
 * @param place a file, or a folder whose `.sql` files are read in the order of their names.
 * @throws {CannotRun} when there is none, when one cannot be read, or holds no statement.
 */
export function readSqlChecks(place: string): SqlCheck[] {
  const files = filesOf(place)
  return files.flatMap(file => {
    const checks = parseSqlChecks(readText(file), path.basename(file))
    if (checks.length === 0)
      throw new CannotRun(`${file} holds no statement: write one such as SELECT count(*) > 0 FROM orders;`)
    return checks
  })
}

function filesOf(place: string): string[] {
  try {
    if (!statSync(place).isDirectory()) return [place]
    const names = readdirSync(place).filter(name => name.endsWith('.sql'))
    if (names.length > 0) return names.sort().map(name => path.join(place, name))
  } catch (cause) {
    throw unreadable(place, cause)
  }
  throw new CannotRun(`the folder ${place} holds no file that ends with .sql: put the checks there, or name their file`)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unreadable(file, cause)
  }
}

function unreadable(place: string, cause: unknown): CannotRun {
  const { code } = cause as NodeJS.ErrnoException
  return new CannotRun(`${place} cannot be read (${code}): name a .sql file, or a folder of them, that can be`, {
    cause,
  })
}

/**
 * Takes a text apart into its statements, each with the comment above it.
 * @param file for messages.
 * @throws {CannotRun} for what has no end, and for a command of psql's.
 */
export function parseSqlChecks(text: string, file: string): SqlCheck[] {
  const checks: SqlCheck[] = []
  let database: string | undefined
  let from = 0
  for (const end of [...statementEnds(text, file), text.length]) {
    const { comments, sql, startsAt } = splitComments(text.slice(from, end))
    for (const comment of comments) database = /^database:\s*(\S.*)$/.exec(comment)?.[1] ?? database
    if (sql !== '') {
      const where = `${file}:${lineOf(text, from + startsAt)}`
      if (sql.startsWith('\\'))
        throw new CannotRun(`${where} is a command of psql's, which only psql knows: write SQL alone`)
      const above = comments.at(-1)
      const title = above === undefined || above === '' || above.startsWith('database:') ? where : above
      checks.push({ title, where, database, sql })
    }
    from = end + 1
  }
  return checks
}

/** Quoted, commented, or one character; what begins a quote and is not closed stands alone. @see PostgreSQL documentation, "Lexical Structure" */
const TOKEN =
  /--[^\n]*|\/\*|(?<![\w$\u0080-\uffff])[eE]'(?:(?:[^'\\]|\\.|'')*')?|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<![\w$\u0080-\uffff])\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|./gs
const UNCLOSED = /^(?:['"]|[eE]')$/

/** Where the semicolons stand that end statements. */
function statementEnds(text: string, file: string): number[] {
  const ends: number[] = []
  const token = new RegExp(TOKEN)
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [part] = match
    if (part === ';') ends.push(match.index)
    else if (part === '/*') token.lastIndex = endOfComment(text, match.index, file)
    else if (part.length > 1 && part.startsWith('$')) token.lastIndex = endOfDollarQuote(text, match.index, part, file)
    else if (UNCLOSED.test(part)) throw noEnd('a quote', text, match.index, file)
  }
  return ends
}

/** They may stand in one another. */
function endOfComment(text: string, at: number, file: string): number {
  let depth = 0
  for (const { 0: mark, index } of text.slice(at).matchAll(/\/\*|\*\//g)) {
    depth += mark === '/*' ? 1 : -1
    if (depth === 0) return at + index + 2
  }
  throw noEnd('a comment', text, at, file)
}

function endOfDollarQuote(text: string, at: number, tag: string, file: string): number {
  const end = text.indexOf(tag, at + tag.length)
  if (end < 0) throw noEnd('a quote', text, at, file)
  return end + tag.length
}

function noEnd(what: string, text: string, at: number, file: string): CannotRun {
  return new CannotRun(`${file}:${lineOf(text, at)} begins ${what} that has no end: close it`)
}

/** What stands before a statement: comment lines, without their dashes, and comments of another kind, which say nothing here. */
function splitComments(text: string): { comments: string[]; sql: string; startsAt: number } {
  const comments: string[] = []
  let at = 0
  for (;;) {
    at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0
    const line = /^--[ \t]*([^\n]*?)[ \t\r]*(?:\n|$)/.exec(text.slice(at))
    if (line) {
      comments.push(line[1] ?? '')
      at += line[0].length
    } else if (text.startsWith('/*', at)) at = endOfComment(text, at, '')
    else return { comments, sql: text.slice(at).trimEnd(), startsAt: at }
  }
}

function lineOf(text: string, at: number): number {
  return text.slice(0, at).split('\n').length
}

/** Each in a transaction of its own that can write nothing. */
const ALONE = 'BEGIN READ ONLY'

/**
 * Asks each of a server, in the database that it is for.
 * @param database of those that name none.
 */
export async function runSqlChecks(
  server: Pick<PostgresNode, 'session'>,
  checks: readonly SqlCheck[],
  database: string,
): Promise<SqlCheckResult[]> {
  const results: SqlCheckResult[] = []
  for (const check of checks)
    results.push({ title: check.title, where: check.where, ...(await run(server, check, database)) })
  return results
}

async function run(
  server: Pick<PostgresNode, 'session'>,
  { sql, database: own }: SqlCheck,
  database: string,
): Promise<Pick<SqlCheckResult, 'holds' | 'seen'>> {
  const where = own ?? database
  try {
    await using session = await server.session(where)
    await session.query(ALONE)
    return judge(await session.query(sql))
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string }
    // Not the server's: the check itself did not work.
    if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) throw error
    return { holds: false, seen: complaintOf(code, message) }
  }
}

/** An answer of true, and of no more than that. */
function judge(rows: readonly Row[]): Pick<SqlCheckResult, 'holds' | 'seen'> {
  const [row] = rows
  if (!row || rows.length > 1) return { holds: false, seen: `${rows.length} rows instead of one` }
  const values = Object.values(row)
  if (values.length !== 1) return { holds: false, seen: `one row of ${values.length} columns instead of one` }
  if (values[0] === 't') return { holds: true, seen: 'true' }
  const shown = values[0] === null ? 'NULL' : values[0] === 'f' ? 'false' : 'a value that is neither true nor false'
  return { holds: false, seen: shown }
}

/** Of other classes the message may hold what stands in a row; of these it speaks of the statement. */
const OF_THE_STATEMENT = /^(?:0A|25|3D|3F|42|57)/

function complaintOf(code: string, message: string): string {
  return OF_THE_STATEMENT.test(code) ? `${message} (SQLSTATE ${code})` : `an error with SQLSTATE ${code}`
}
