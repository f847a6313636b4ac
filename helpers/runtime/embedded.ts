import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { execa } from 'execa'
import { CannotRun } from '../failure.ts'
import { quoteForAccess, type Settings } from '../postgres/conf.ts'
import { restampSystemIdentifier } from '../postgres/control-file.ts'
import type { Connection } from '../postgres/session.ts'
import { identify } from '../run/identity.ts'
import { endMarked, freeSharedMemory, type Mark } from '../run/processes.ts'
import { own, RUN_ID_VARIABLE, type RunContext } from '../run/registry.ts'
import { commandFailed } from './command-failed.ts'
import { assertHoldsServers, type Load } from './embedded-place.ts'
import { findPrograms, makeTemplate } from './embedded-programs.ts'
import { findServerUser } from './embedded-user.ts'
import { EmbeddedVolume } from './embedded-volume.ts'
import { findFreePort } from './free-port.ts'
import { PostgresNode, type ServerProcess } from './postgres-node.ts'
import { titlesOfDescendants } from './process-titles.ts'
import { hashPrograms, type ProgramHash } from './program-hashes.ts'
import type { Runtime, RuntimeDescription } from './runtime.ts'

export interface EmbeddedDescription extends RuntimeDescription {
  name: 'embedded'
  bin: string
  /** A data directory to copy for each new cluster. */
  template: string
  programs: ProgramHash[]
}

/** Marks the processes of one node: when the node goes, they go. */
const NODE_VARIABLE = 'DRILL_NODE'
/** Marks a server and what it starts: an archive_command that hangs, in a session of its own, outlives its server. */
const SERVER_VARIABLE = 'DRILL_SERVER'

/** @throws {CannotRun} when PostgreSQL's programs for that major are not installed or do not run here. */
export async function openEmbedded(
  { pgMajor, load, reason }: { pgMajor: number; load: Load; reason: string },
  run: RunContext,
): Promise<EmbeddedDescription> {
  assertHoldsServers(run.directory, load)
  const { bin, serverVersion } = await findPrograms(pgMajor, path.join(run.directory, 'programs'))
  const template = path.join(run.directory, 'template')
  // While initdb runs, it costs nothing.
  const [programs] = await Promise.all([hashPrograms(bin), makeTemplate(bin, template, run)])
  return { name: 'embedded', serverVersion, major: pgMajor, reason, capabilities: [], bin, template, programs }
}

/** PostgreSQL server processes on this machine, each on a fresh directory below the run's own. */
export class EmbeddedRuntime implements Runtime {
  constructor(
    readonly description: EmbeddedDescription,
    private readonly run: RunContext,
  ) {}

  volume(name: string, sizeBytes?: number): EmbeddedVolume {
    if (sizeBytes !== undefined) throw new RangeError(`${name}: a folder has no size of its own`)
    return newVolume(this.run, name)
  }

  /** Mounts need nothing here: every server sees every folder. That is why this runtime has no `readOnlyArchive`. */
  node(name: string): PostgresNode {
    return new EmbeddedNode(name, this.run, this.description)
  }

  async destroy(): Promise<void> {
    // What volumes and nodes leave is nothing; the run's folder is the run's to remove.
  }
}

/** What macOS takes; Linux takes four more. */
const LONGEST_SOCKET_BYTES = 103

function newVolume(run: RunContext, name: string): EmbeddedVolume {
  return new EmbeddedVolume(
    name,
    path.join(run.directory, `${name}-${randomBytes(4).toString('hex')}`),
    findServerUser(),
  )
}

class EmbeddedNode extends PostgresNode {
  readonly data: EmbeddedVolume
  #port = 0
  /** Of a server that lets in nobody but the drill: its role there, and the folder of its socket. */
  #admitted: { role: string; sockets: EmbeddedVolume } | undefined
  isDestroyed = false

  constructor(
    name: string,
    private readonly run: RunContext,
    private readonly description: EmbeddedDescription,
  ) {
    super(name)
    this.data = newVolume(run, name)
  }

  get connection(): Connection {
    const { host, user } = this.#admitted
      ? { host: this.#admitted.sockets.path, user: this.#admitted.role }
      : { host: '127.0.0.1', user: 'postgres' }
    return { host, port: this.#port, user, password: this.run.password, database: 'postgres' }
  }

  /** By a socket, whose other end the operating system names: no other user of this machine gets in. */
  async admit(role: string): Promise<void> {
    this.#assertUsable()
    const sockets = new EmbeddedVolume(
      `${this.name}'s socket`,
      path.join(this.run.directory, `s-${randomBytes(4).toString('hex')}`),
      findServerUser(),
    )
    if (Buffer.byteLength(`${sockets.path}/.s.PGSQL.65535`) > LONGEST_SOCKET_BYTES)
      throw new CannotRun(
        `the path ${sockets.path} is too long for a socket: set TMPDIR to a folder with a shorter path, such as /tmp`,
      )
    this.#admitted = { role, sockets }
    await sockets.create()
    await this.data.write('pg_hba.conf', `local all ${quoteForAccess(role)} peer map=drill\n`)
    await this.data.write('pg_ident.conf', `drill ${quoteForAccess(userInfo().username)} ${quoteForAccess(role)}\n`)
  }

  protected get network(): Connection {
    return { ...this.connection, host: '127.0.0.1' }
  }

  protected async create(): Promise<void> {
    await this.data.create()
  }

  protected async initdb(): Promise<void> {
    await this.runScript(`cp -a ${reflink} '${this.description.template}/.' '${this.data.path}'`)
    restampSystemIdentifier(this.data.path)
  }

  /**
   * On a free loopback port. Between finding one and PostgreSQL taking it somebody else may: PostgreSQL says so before it
   * does anything else, and the next one is tried. A port once had is asked for again, so that a connection string stays good.
   */
  protected async launch(settings: Settings): Promise<ServerProcess> {
    for (;;) {
      this.#port ||= await findFreePort()
      const mark = this.log.length
      const server = this.#spawn({
        ...settings,
        port: this.#port,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: this.#admitted?.sockets.path ?? '',
        // In the data directory, with which it goes: POSIX shared memory outlives a server that is killed.
        dynamic_shared_memory_type: 'mmap',
      })
      let isOver = false
      void server.ended.then(() => {
        isOver = true
        this.log.ended()
      })
      await this.log
        .waitFor(
          'the server to listen',
          /listening on IPv4 address|could not bind IPv4 address/,
          'serverReady',
          mark,
          () => isOver,
        )
        // A server that ends before it listens (a setting that is not valid) has said why; whoever waits for it reads that.
        .catch(() => undefined)
      if (!this.log.find(/could not bind IPv4 address/, mark)) return server
      await server.ended
      this.#port = 0
    }
  }

  #spawn(settings: Settings): ServerProcess {
    this.#assertUsable()
    const child = spawn(path.join(this.description.bin, 'postgres'), ['-D', this.data.path, ...asArguments(settings)], {
      ...findServerUser(),
      cwd: this.data.path,
      env: { ...this.#environment, [SERVER_VARIABLE]: this.data.path },
      // A group of its own: Ctrl-C is for the run, which stops its servers in order.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (child.pid !== undefined) own(this.run, { kind: 'process', process: identify(child.pid), what: this.name })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => this.log.append(chunk))
    const closed = new Promise<number | string>(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
    })
    // What outlives it holds its log open, and is nobody's any more. What cannot be ended now, destroy() complains of.
    const swept = new Promise<void>(resolve => {
      child.once('error', () => resolve())
      child.once('exit', () =>
        endMarked(this.#mark(SERVER_VARIABLE)).then(
          () => resolve(),
          () => resolve(),
        ),
      )
    })
    return {
      // Not before: the next server has the same marks, and would be swept with this one's.
      ended: swept.then(() => closed),
      signal: async signal => {
        child.kill(signal)
      },
      titles: async () => (child.pid === undefined ? [] : await titlesOfDescendants(child.pid)),
    }
  }

  get #environment(): Record<string, string> {
    return {
      PATH: `${this.description.bin}:/usr/local/bin:/usr/bin:/bin`,
      LC_ALL: 'C',
      TZ: 'UTC',
      [RUN_ID_VARIABLE]: this.run.id,
      [NODE_VARIABLE]: this.data.path,
    }
  }

  protected async runScript(script: string, { stdin }: { stdin?: Readable } = {}): Promise<string> {
    this.#assertUsable()
    const result = await execa('sh', ['-c', script], {
      ...findServerUser(),
      cwd: '/',
      env: this.#environment,
      extendEnv: false,
      // As with a server.
      detached: true,
      reject: false,
      ...(stdin ? { input: stdin } : { stdin: 'ignore' }),
    })
    if (result.exitCode !== 0) {
      const exitStatus = result.exitCode ?? result.signal ?? 'no exit status'
      throw commandFailed(`on ${this.name}`, { script, exitStatus, output: result.stderr }, this.run.password)
    }
    return result.stdout
  }

  get lookHint(): string {
    const user = findServerUser() ? 'as the user nobody: ' : ''
    const options = `-p 5433 -k '' -c archive_mode=off -c hba_file=${this.data.path}/look.conf`
    return `data in ${this.data.path}; start a server on it ${user}echo 'host all all 127.0.0.1/32 trust' > ${this.data.path}/look.conf; ${this.description.bin}/postgres -D ${this.data.path} ${options}; then psql -h 127.0.0.1 -p 5433 -U postgres dispatch`
  }

  protected async remove(): Promise<void> {
    this.isDestroyed = true
    await Promise.all([this.stopImmediately(), endMarked(this.#mark(NODE_VARIABLE))])
    freeSharedMemory(this.data.path)
    await this.#admitted?.sockets.destroy()
    await this.data.destroy()
  }

  /** A drill that was cut off may go on for a while. */
  #assertUsable(): void {
    if (this.isDestroyed) throw new Error(`${this.name} was destroyed`)
  }

  #mark(variable: string): Mark {
    return { variable, value: this.data.path, folder: this.data.path }
  }
}

/** Shares the blocks of the copy where the file system can; other systems' `cp` does not know the option. */
const reflink = process.platform === 'linux' ? '--reflink=auto' : ''

function asArguments(settings: Settings): string[] {
  return Object.entries(settings).flatMap(([name, value]) => [
    '-c',
    `${name}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`,
  ])
}
