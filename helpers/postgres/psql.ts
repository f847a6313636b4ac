import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { deadlinesMs } from '../deadlines.ts'
import { type Link, type Row, Session } from './session.ts'
import { literalOf, splitStatements } from './statements.ts'

/** What the server refused, as `pg` would say it. */
class PsqlError extends Error {
  constructor(
    message: string,
    /** PostgreSQL's SQLSTATE. */
    readonly code: string,
  ) {
    super(message)
    this.name = 'PsqlError'
  }
}

/** psql has ended, or never was one that we can use: with what it said. */
export class PsqlEnded extends Error {
  constructor(
    /** Of whatever was started: Docker may have ended, and no psql been begun. */
    readonly said: string,
    /** Where it could not be started: Node's. */
    readonly code: string | undefined,
    options?: ErrorOptions,
  ) {
    super(`psql has ended${said === '' ? '' : `: ${said}`}`, options)
    this.name = 'PsqlEnded'
  }
}

export interface PsqlOptions {
  user: string
  database: string
  applicationName: string
  /** The server's, for the session: `-c name=value`. */
  options: string
  connectTimeoutSeconds: number
}

/**
 * psql's command line: no start-up file, no question, and one connection string, in which neither a user nor a database
 * can be taken for an option or for anything else. @see PostgreSQL documentation, "Connection Strings"
 */
export function psqlCommand({
  user,
  database,
  applicationName,
  options,
  connectTimeoutSeconds,
}: PsqlOptions): string[] {
  const parameters = {
    user,
    dbname: database,
    application_name: applicationName,
    client_encoding: 'UTF8',
    connect_timeout: connectTimeoutSeconds,
    // Off, psql would see the end of a text elsewhere than we do.
    options: `${options} -c standard_conforming_strings=on`,
  }
  const connection = Object.entries(parameters).map(
    ([name, value]) => `${name}='${String(value).replaceAll(/[\\']/g, '\\$&')}'`,
  )
  return ['psql', '-X', '-q', '-w', '-d', connection.join(' ')]
}

/**
 * A session over a psql process, for a server that is reached through its container alone. The statements of one text are sent
 * one by one: without a BEGIN each is a transaction of its own. A name behind a colon outside of quotes is psql's when it
 * knows a variable of that name; they are in capitals.
 * @param command what starts psql, such as `docker compose exec`, and psql's own arguments.
 * @throws {PsqlEnded} when it does not come to a connection.
 */
export async function openPsqlSession(
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<Session> {
  const psql = new Psql(command, env)
  const timer = setTimeout(() => psql.kill(`no answer within ${timeoutMs / 1000} s`), timeoutMs)
  try {
    await psql.ready()
  } catch (error) {
    await psql.end()
    throw error
  } finally {
    clearTimeout(timer)
  }
  return new Session(psql)
}

/** Enough to tell why it ended. */
const KEPT_STDERR = 4_000

class Psql implements Link {
  readonly #process: ChildProcessWithoutNullStreams
  /** Begins all that frames a result: no value holds it. */
  readonly #mark = randomBytes(12).toString('hex')
  readonly #closed: Promise<void>
  #chunks: Buffer[] = []
  #tail = Buffer.alloc(0)
  #stderr = ''
  #ended: PsqlEnded | undefined
  #waiting: { resolve: (output: string) => void; reject: (error: Error) => void } | undefined
  #last: Promise<unknown> = Promise.resolve()
  #prepared = 0

  constructor([file = '', ...args]: readonly string[], env: NodeJS.ProcessEnv) {
    this.#process = spawn(file, args, { env, stdio: 'pipe' })
    this.#closed = new Promise(resolve => {
      const over = (cause?: NodeJS.ErrnoException) => {
        this.#ended ??= new PsqlEnded(this.#stderr.trim() || (cause?.message ?? ''), cause?.code, { cause })
        this.#waiting?.reject(this.#ended)
        this.#waiting = undefined
        resolve()
      }
      this.#process.once('error', over)
      this.#process.once('close', () => over())
    })
    // A process that ended is told by its close.
    this.#process.stdin.on('error', () => undefined)
    this.#process.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = `${this.#stderr}${text}`.slice(-KEPT_STDERR)
    })
  }

  /** Until it is connected, with results framed so that they can be told from each other whatever they hold. */
  async ready(): Promise<void> {
    const settings = {
      format: 'unaligned',
      footer: 'off',
      tuples_only: 'off',
      title: this.#marker('result'),
      recordsep: this.#marker('row'),
      fieldsep: this.#marker('field'),
      null: this.#marker('null'),
    }
    const lines = Object.entries(settings).map(([name, value]) => `\\pset ${name} '${value}'`)
    // Of a statement, so that what psql says of errors can be told from a psql that says nothing of them.
    await this.#exchange(['\\set ON_ERROR_STOP off', 'SELECT 1', '\\g', ...lines].join('\n'))
    this.#stderr = ''
  }

  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    // One after the other, as `pg` keeps them in line.
    const result = this.#last.then(() =>
      parameters ? this.#execute(sql, parameters) : this.#run(splitStatements(sql)),
    )
    this.#last = result.catch(() => undefined)
    return result
  }

  kill(why: string): void {
    this.#stderr += `\n${why}`
    this.#process.kill('SIGKILL')
  }

  async end(): Promise<void> {
    this.#process.stdin.end('\\q\n')
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), deadlinesMs.psqlEnded)
    await this.#closed
    clearTimeout(timer)
  }

  /** The server itself says what type each parameter has, as with a connection of our own. */
  async #execute(sql: string, parameters: readonly unknown[]): Promise<Row[]> {
    const statements = splitStatements(sql)
    const [statement = ''] = statements
    if (statements.length !== 1) throw new SyntaxError(`parameters are for one statement: ${sql}`)
    if (parameters.length === 0) return await this.#run(statements)
    const name = `with_parameters_${++this.#prepared}`
    await this.#run([`PREPARE ${name} AS ${statement}`])
    return await this.#run([`EXECUTE ${name} (${parameters.map(literalOf).join(', ')})`, `DEALLOCATE ${name}`])
  }

  async #run(statements: readonly string[]): Promise<Row[]> {
    let rows: Row[] = []
    for (const statement of statements) {
      // A line of its own: the statement may end with a comment.
      rows = this.#parse(await this.#exchange(`${statement}\n\\g`)) ?? rows
    }
    return rows
  }

  /** Sends, and waits for all that comes of it. @throws {PsqlError} when the server refuses it. */
  async #exchange(text: string): Promise<string> {
    if (this.#ended) throw this.#ended
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
    this.#process.stdin.write(
      `${text}\n\\r\n\\echo ${this.#marker('end')} :ERROR :SQLSTATE :LAST_ERROR_MESSAGE ${this.#marker('over')}\n`,
    )
    const [output = '', status = ''] = (await answer).split(this.#marker('end'))
    const [, isError, code = '', message = ''] = /^ (\S+) (\S+) (.*)$/s.exec(status) ?? []
    if (isError === 'true') throw new PsqlError(message.trim(), code)
    if (isError !== 'false') throw new PsqlEnded('it is older than 11, and cannot say what fails', undefined)
    return output
  }

  /** Nothing comes behind the end, since nothing is sent before it has come. */
  #take(chunk: Buffer): void {
    const over = `${this.#marker('over')}\n`
    this.#chunks.push(chunk)
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-over.length)
    if (this.#tail.toString('latin1') !== over) return
    const output = Buffer.concat(this.#chunks).subarray(0, -over.length).toString('utf8')
    this.#chunks = []
    this.#tail = Buffer.alloc(0)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(output)
  }

  /** Undefined where the statement gives no rows. */
  #parse(output: string): Row[] | undefined {
    if (output === '') return undefined
    const [title, header = '', ...rows] = output.replace(/\n$/, '').split(this.#marker('row'))
    if (title !== this.#marker('result')) throw new Error(`psql gave something that is no result: ${title}`)
    const columns = header.split(this.#marker('field'))
    return rows.map(row => {
      const values = row.split(this.#marker('field'))
      return Object.fromEntries(
        columns.map((column, index) => {
          const value = values[index] ?? ''
          return [column, value === this.#marker('null') ? null : value]
        }),
      )
    })
  }

  #marker(what: string): string {
    return `${this.#mark}${what}`
  }
}
