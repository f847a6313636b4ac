import type { Readable } from 'node:stream'
import { type Deadline, deadlinesMs } from '../deadlines.ts'
import { Failure } from '../failure.ts'
import { quoteForAccess, renderSettings, type Settings } from '../postgres/conf.ts'
import { Lsn } from '../postgres/lsn.ts'
import { LOG_LINE_PREFIX, ServerLog } from '../postgres/server-log.ts'
import { type Connection, openSession, type Row, type Session } from '../postgres/session.ts'
import { switchWal } from '../postgres/switch-wal.ts'
import type { WalSegment } from '../postgres/wal-segment.ts'
import type { Volume } from './volume.ts'

/** A running `postgres`, as a runtime hands it over. Its output goes to the node's log. */
export interface ServerProcess {
  /** Settles when the server is gone, with its exit status or the name of the signal that ended it. Never rejects. */
  readonly ended: Promise<number | string>
  /** To the postmaster. Nothing happens when it is gone. */
  signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'SIGKILL' | 'SIGHUP'): Promise<void>
  /** Of the processes that the postmaster has started, and of their commands: none when it is gone. */
  titles(): Promise<string[]>
}

/** A backup as it lies in a store, ready to be copied into a data directory. */
export interface StoredDataDirectory {
  /** The folder's path as the server sees it. */
  path: string
}

/** What the suite had done to a server from outside: a program run beside it, the server itself, a signal, the commands it was given. */
export interface CommandRun {
  /** As `performance.now()`, in milliseconds. */
  atMs: number
  command: string
  /** None while it runs, and of what has no end of its own. */
  seconds?: number
  /** Or the name of the signal that ended it. */
  exitStatus?: number | string
}

/** What every server under drill is started with, whatever its configuration files say. */
const ALWAYS: Settings = {
  logging_collector: false,
  log_line_prefix: LOG_LINE_PREFIX,
  log_destination: 'stderr',
  lc_messages: 'C',
}

/**
 * One PostgreSQL server: its data directory, its process, its log. Inert until `init()` or `initFrom()`; whoever makes one
 * registers its `destroy()` first. The verbs are the operator's; how they are done stands in the runtimes.
 */
export abstract class PostgresNode {
  readonly log = new ServerLog()
  /** The earliest first. Whoever shows them takes the secrets out of them. */
  readonly commands: CommandRun[] = []
  /** Awaited once before all that belongs to the server is removed, by whomever: the last moment to look at it. Must not throw. */
  beforeRemoval: (() => Promise<void>) | undefined
  #server: ServerProcess | undefined
  #startMark = 0

  constructor(readonly name: string) {}

  /** The data directory. */
  abstract readonly data: Volume
  /** As superuser; valid once the server has been started. */
  abstract readonly connection: Connection
  /** Makes the clean place that the data directory will lie in, and with it all that the server needs before it starts. */
  protected abstract create(): Promise<void>
  /** initdb, with data checksums, SCRAM passwords, and access over TCP for the drill alone. */
  protected abstract initdb(): Promise<void>
  /**
   * For a data directory whose roles have passwords that the drill does not know: writes `pg_hba.conf` and `pg_ident.conf` so that the
   * drill gets in as that role, and nobody else at all; `connection` is as that role from then on.
   * @throws {CannotRun} where the place for it cannot be made.
   */
  abstract admit(role: string): Promise<void>
  /** As `connection`, for what knows of hosts and passwords alone. */
  protected abstract readonly network: Connection
  /** Starts `postgres` on the data directory, its standard error going to `log`. */
  protected abstract launch(settings: Settings): Promise<ServerProcess>
  /** As `exec`, without writing it down. */
  protected abstract runScript(script: string, options?: { stdin?: Readable }): Promise<string>
  abstract readonly isDestroyed: boolean
  /** Where its data is and how to look at it, for a user who keeps it after a drill. */
  abstract readonly lookHint: string
  /** Removes server, data directory and all else that belongs to it. Works at any moment, and twice. */
  protected abstract remove(): Promise<void>

  /**
   * Runs a shell script where the server runs, as the operating system user it runs as, and returns what it printed.
   * @throws {Failure} `command-failed` when it does not exit with 0.
   */
  async exec(script: string, options?: { stdin?: Readable }): Promise<string> {
    return await this.#noting(script, () => this.runScript(script, options))
  }

  /** As `remove`, once it has been looked at. */
  async destroy(): Promise<void> {
    const look = this.beforeRemoval
    this.beforeRemoval = undefined
    await look?.()
    await this.remove()
  }

  async #noting<T>(command: string, body: () => Promise<T>): Promise<T> {
    const run: CommandRun = { atMs: performance.now(), command }
    this.commands.push(run)
    try {
      const result = await body()
      run.exitStatus = 0
      return result
    } catch (error) {
      const { exitStatus } = error instanceof Failure ? error.evidence : {}
      run.exitStatus = typeof exitStatus === 'number' ? exitStatus : String(exitStatus ?? 'not known')
      throw error
    } finally {
      run.seconds = (performance.now() - run.atMs) / 1000
    }
  }

  /** A new, empty cluster. */
  async init(): Promise<void> {
    await this.create()
    await this.#noting('initdb', () => this.initdb())
  }

  /** A data directory copied from a backup that the node has mounted. The copy is not started. */
  async initFrom(backup: StoredDataDirectory): Promise<void> {
    await this.create()
    await this.exec(`cp -a '${backup.path}/.' '${this.data.path}' && chmod 700 '${this.data.path}'`)
  }

  /** A data directory that `fill` writes into `data`. It is not started. */
  async initWith(fill: () => Promise<void>): Promise<void> {
    await this.create()
    await fill()
    await this.exec(`chmod 700 '${this.data.path}'`)
  }

  /** Appends to `postgresql.auto.conf`, where the last of several lines for a setting counts. */
  async configure(settings: Settings): Promise<void> {
    for (const name of ['archive_command', 'restore_command'])
      if (settings[name] !== undefined)
        this.commands.push({ atMs: performance.now(), command: renderSettings({ [name]: settings[name] }).trim() })
    const file = 'postgresql.auto.conf'
    await this.data.write(file, Buffer.concat([await this.data.read(file), Buffer.from(renderSettings(settings))]))
  }

  get isRunning(): boolean {
    return this.#server !== undefined
  }

  /** Position in the log at which the present start began. */
  get startMark(): number {
    return this.#startMark
  }

  /** Starts the server and returns at once: for a recovery, which is watched. Otherwise `start()`. */
  async launchServer(): Promise<void> {
    this.#startMark = this.log.length
    const run: CommandRun = { atMs: performance.now(), command: 'postgres' }
    this.commands.push(run)
    const server = await this.launch(ALWAYS)
    this.#server = server
    void server.ended.then(exitStatus => {
      Object.assign(run, { exitStatus, seconds: (performance.now() - run.atMs) / 1000 })
      if (this.#server === server) this.#server = undefined
      this.log.ended()
    })
  }

  /** @throws {Failure} `log-line-missing` with the server's log when it ends or does not get ready. */
  async start(): Promise<void> {
    await this.launchServer()
    await this.waitForLog(
      `${this.name} to accept connections`,
      /database system is ready to accept connections/,
      'serverReady',
    )
  }

  /** A line of the present start, or the failure that names what was waited for and shows the log. */
  waitForLog(what: string, pattern: RegExp, deadline: Deadline): Promise<RegExpExecArray> {
    return this.log.waitFor(what, pattern, deadline, this.#startMark, () => !this.isRunning)
  }

  /**
   * Fast shutdown; where that takes longer than its deadline (a hanging archive_command), immediate; then killed.
   * @see PostgreSQL documentation, "Shutting Down the Server"
   */
  async stop(): Promise<void> {
    if (await this.#endWith('SIGINT', deadlinesMs.fastShutdown)) return
    await this.stopImmediately()
  }

  /** No checkpoint, no waiting for the archiver: the next start recovers. Killed when even that takes too long. */
  async stopImmediately(): Promise<void> {
    if (await this.#endWith('SIGQUIT', deadlinesMs.immediateShutdown)) return
    await this.kill()
  }

  async kill(): Promise<void> {
    if (!(await this.#endWith('SIGKILL', deadlinesMs.processGone))) {
      throw new Failure(
        'server-not-ended',
        `${this.name} is still there ${deadlinesMs.processGone / 1000} s after SIGKILL`,
      )
    }
  }

  async #endWith(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL', timeoutMs: number): Promise<boolean> {
    const server = this.#server
    if (!server) return true
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>(resolve => {
      timer = setTimeout(resolve, timeoutMs, 'late')
    })
    this.commands.push({ atMs: performance.now(), command: `kill -${signal.slice(3)} of the postmaster` })
    await server.signal(signal)
    const outcome = await Promise.race([server.ended, late])
    clearTimeout(timer)
    return outcome !== 'late'
  }

  async reload(): Promise<void> {
    await this.#server?.signal('SIGHUP')
  }

  /**
   * What the server's processes say they are doing, such as `postgres: startup recovering 000000010000000000000003`: all
   * there is to be asked of a server that takes no connection yet.
   * @see PostgreSQL documentation, "Standard Unix Tools"
   */
  async processTitles(): Promise<string[]> {
    return (await this.#server?.titles()) ?? []
  }

  /**
   * Lets programs in that know of hosts and passwords alone, as the role that the drill is, which has the run's password. They get in once
   * the server has read its configuration again.
   */
  async admitPrograms(): Promise<Connection> {
    const [file, role] = ['pg_hba.conf', this.connection.user]
    const access = Buffer.from(`host all ${quoteForAccess(role)} all scram-sha-256\n`)
    await this.data.write(file, Buffer.concat([await this.data.read(file), access]))
    await this.reload()
    return this.network
  }

  /** `await using` it. @see openSession */
  session(database = this.connection.database): Promise<Session> {
    return openSession({ ...this.connection, database })
  }

  /** One statement on a connection of its own. */
  async query<R extends Row = Row>(sql: string, parameters?: unknown[]): Promise<R[]> {
    await using session = await this.session()
    return await session.query<R>(sql, parameters)
  }

  /** @see PostgreSQL documentation, "Backup Control Functions" and "Recovery Information Functions" */
  async lsn(which: 'insert' | 'replay'): Promise<Lsn> {
    const [row] = await this.query(
      `SELECT ${which === 'insert' ? 'pg_current_wal_insert_lsn' : 'pg_last_wal_replay_lsn'}() AS lsn`,
    )
    if (!row?.lsn) throw new Failure('no-lsn', `${this.name} has no ${which} LSN`)
    return Lsn.parse(row.lsn)
  }

  /** The server's clock, in UTC: as an operator notes a moment to come back to. */
  async time(): Promise<string> {
    const [row] = await this.query(
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US"+00"') AS now`,
    )
    return row?.now ?? ''
  }

  /** Of a server that is not in recovery: the timeline it writes. The control file's lags until the next checkpoint. */
  async timeline(): Promise<number> {
    const [row] = await this.query('SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS name')
    return Number.parseInt(row?.name?.slice(0, 8) ?? '', 16)
  }

  /** Ends the current segment so that it is archived, and returns the last segment that holds WAL written so far. */
  async switchWal(): Promise<WalSegment> {
    await using session = await this.session()
    return await switchWal(session)
  }

  /**
   * Promotes a server that is paused at its recovery target, and returns when it accepts writes. By resuming: at the target
   * that ends recovery at once, whereas a paused server notices `pg_promote()` only when its wait of a second is over.
   * @throws {Failure} when it does not in time.
   * @see PostgreSQL documentation, "recovery_target_action"; `recoveryPausesHere` in `xlogrecovery.c`
   */
  async promote(): Promise<void> {
    await this.query('SELECT pg_wal_replay_resume()')
    await this.waitForLog(`${this.name} to be promoted`, /database system is ready to accept connections/, 'promotion')
  }
}
