import { execa } from 'execa'
import { deadlinesMs } from '../deadlines.ts'
import { redact } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import { openPsqlSession, PsqlEnded, psqlCommand } from '../postgres/psql.ts'
import type { Session } from '../postgres/session.ts'
import type { ComposeConfig } from './live-config.ts'
import type { LiveServer, SessionLimits } from './live-server.ts'
import { APPLICATION_NAME, sessionOptions } from './session-options.ts'

/** Compose as a plug-in of Docker's, and as a program of its own: whichever is there. */
const PROGRAMS = [['docker', 'compose'], ['docker-compose']] as const

type Program = (typeof PROGRAMS)[number]

/** A live server in a Compose stack, reached as the runbook does: by psql in its container. */
export class ComposeServer implements LiveServer {
  readonly warnings: readonly string[] = []
  readonly where: string
  readonly #config: ComposeConfig
  readonly #program: Program

  private constructor(config: ComposeConfig, program: Program) {
    this.#config = config
    this.#program = program
    this.where = `service ${config.service} of ${config.file}, database ${config.database}`
  }

  /** @throws {CannotRun} where there is no Compose. */
  static async find(config: ComposeConfig): Promise<ComposeServer> {
    for (const program of PROGRAMS) {
      if (await isThere(program)) return new ComposeServer(config, program)
    }
    throw new CannotRun(
      'PREFLIGHT_COMPOSE_FILE is set, and neither `docker compose` nor `docker-compose` runs here: install one of them, or set DATABASE_URL instead',
    )
  }

  /**
   * The command line of a program in the server's container, without a terminal.
   * @param command of which nothing may be secret: everybody on this machine can see it.
   */
  command(command: readonly string[]): string[] {
    return [...this.#program, '-f', this.#config.file, 'exec', '-T', this.#config.service, ...command]
  }

  /** Of a service that it does not know, Compose 2 says that it is not running, and 1.29 says nothing without a terminal. */
  async #whyNotRunning(): Promise<string> {
    const [file, ...args] = this.#program
    const listing = await execa(file, [...args, '-f', this.#config.file, 'config', '--services'], {
      reject: false,
      stdin: 'ignore',
      timeout: deadlinesMs.composeVersion,
    })
    if (listing.failed) return listing.stderr
    return listing.stdout.split('\n').includes(this.#config.service) ? 'it is not running' : 'no such service'
  }

  async session(database = this.#config.database, limits?: Partial<SessionLimits>): Promise<Session> {
    const { user, connectTimeoutSeconds } = this.#config
    const options = sessionOptions(limits)
    const psql = psqlCommand({ user, database, options, applicationName: APPLICATION_NAME, connectTimeoutSeconds })
    try {
      const timeoutMs = connectTimeoutSeconds * 1000 + deadlinesMs.containerCommand
      return await openPsqlSession(this.command(psql), process.env, timeoutMs)
    } catch (error) {
      if (!(error instanceof PsqlEnded)) throw error
      const isToldWhy = error.said !== '' && !/is not running/.test(error.said)
      const said = isToldWhy ? error.said : await this.#whyNotRunning()
      throw new CannotRun(sentence(said, this.#config, database, this.#program), { cause: error })
    }
  }
}

async function isThere([file, ...args]: Program): Promise<boolean> {
  const options = { reject: false, stdin: 'ignore', timeout: deadlinesMs.composeVersion } as const
  // A program of its own is asked nothing: written in Python, it would take a second over its answer.
  if (args.length === 0) return !(await execa('/bin/sh', ['-c', `command -v ${file}`], options)).failed
  return !(await execa(file, [...args, 'version'], options)).failed
}

/** Why there is no session, in one sentence. What Docker and psql say is theirs, and in many versions: only what is certain is told apart. */
function sentence(said: string, config: ComposeConfig, database: string, program: Program): string {
  const { service, file, user } = config
  const start = `${program.join(' ')} -f ${file} up -d ${service}`
  if (/no such service/i.test(said))
    return `${file} has no service ${service}: set PREFLIGHT_COMPOSE_SERVICE to the one that PostgreSQL runs in`
  if (/is not running|no container found|is restarting|is paused/i.test(said))
    return `the service ${service} of ${file} is not running: start it with ${start}`
  if (
    /(?:can't|cannot|couldn't|could not) connect to (?:the )?docker daemon|fetching server API version|permission denied.*docker/i.test(
      said,
    )
  )
    return `no Docker daemon lets us in, and PREFLIGHT_COMPOSE_FILE needs one: start it, or run as a user who may use it`
  if (/"psql".*(?:not found|no such file)/is.test(said))
    return `the container of service ${service} of ${file} has no psql: set PREFLIGHT_COMPOSE_SERVICE to the one that PostgreSQL runs in, or DATABASE_URL instead`
  const last = redact(said.split('\n').at(-1)?.trim() || 'nothing')
  if (/fe_sendauth: no password supplied|password authentication failed/.test(said))
    return `psql in service ${service} is asked for the password of ${user}: let pg_hba.conf trust local connections there, or give the container's user a .pgpass`
  if (/role ".*" does not exist|database ".*" does not exist/s.test(said))
    return `psql in service ${service} cannot connect to database ${database} as ${user} (${last}): set PGUSER and PGDATABASE to those that are there`
  return `psql in service ${service} of ${file} came to no connection, and said: ${last}; put that right, and look again`
}
