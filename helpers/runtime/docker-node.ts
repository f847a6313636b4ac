import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type Dockerode from 'dockerode'
import type { StartedTestContainer } from 'testcontainers'
import { quoteForAccess, type Settings } from '../postgres/conf.ts'
import type { Connection } from '../postgres/session.ts'
import { commandFailed } from './command-failed.ts'
import { removeVolume, statusOf } from './docker-client.ts'
import { execute, readInput, startExec } from './docker-exec.ts'
import type { ContainerMount, DockerHost } from './docker-host.ts'
import { ContainerVolume, DockerVolume } from './docker-volume.ts'
import { type Certificate, makeCertificate } from './own-certificate.ts'
import { PostgresNode, type ServerProcess } from './postgres-node.ts'
import { printTitlesOfDescendants } from './process-titles.ts'
import type { Mount } from './runtime.ts'
import { quoteForShell } from './shell.ts'

const PORT = 5432
/** The volume of its own that every server gets; the data directory is a folder in it, so that it can be made and removed. */
const OWN_VOLUME = '/drill'
const DATA = `${OWN_VOLUME}/data`
/** In the data directory, of a server whose passwords the drill does not know. */
const CERTIFICATE_FILE = 'drill.crt'
const KEY_FILE = 'drill.key'

/** A container of the node's, and the daemon's handle on it. */
interface Container {
  started: StartedTestContainer
  handle: Dockerode.Container
}

/** A server in a container of its own, on a volume of its own. */
export class DockerNode extends PostgresNode {
  readonly data: ContainerVolume
  readonly #resource: string
  #container: Promise<Container> | undefined
  #startedContainer: StartedTestContainer | undefined
  /** Of a server that lets in nobody but the drill: its role there, and what it shows. */
  #admitted: { role: string; certificate: Certificate } | undefined
  isDestroyed = false

  constructor(
    name: string,
    private readonly mounts: Mount[],
    private readonly host: DockerHost,
  ) {
    super(name)
    this.#resource = host.uniqueName(name)
    this.data = new DataDirectory(`${name}'s data directory`, DATA, host.description.user, () => this.#handle())
  }

  get connection(): Connection {
    if (!this.#startedContainer) throw new Error(`${this.name} has not been started`)
    const { isLocal } = this.host.description
    return {
      // Not `localhost`: the port is bound on IPv4 alone.
      host: isLocal ? '127.0.0.1' : this.#startedContainer.getHost(),
      port: this.#startedContainer.getMappedPort(PORT),
      user: this.#admitted?.role ?? 'postgres',
      password: this.host.run.password,
      database: 'postgres',
      ...(this.#admitted && { certificate: this.#admitted.certificate }),
    }
  }

  /** By a certificate that the drill alone has: the port may be open to a network, where the daemon is on another machine. */
  async admit(role: string): Promise<void> {
    const certificate = makeCertificate('drill')
    this.#admitted = { role, certificate }
    await this.data.write(CERTIFICATE_FILE, certificate.cert)
    await this.data.write(KEY_FILE, certificate.key)
    await this.data.write('pg_hba.conf', `hostssl all ${quoteForAccess(role)} all cert map=drill\n`)
    await this.data.write('pg_ident.conf', `drill drill ${quoteForAccess(role)}\n`)
  }

  protected get network(): Connection {
    const { certificate: _, ...network } = this.connection
    return network
  }

  protected async create(): Promise<void> {
    if (this.isDestroyed) throw new Error(`${this.name} was destroyed`)
    this.#container ??= this.#startContainer()
    this.#startedContainer = (await this.#container).started
  }

  async #startContainer(): Promise<Container> {
    const volumes = this.mounts.map(mount => ({ ...mount, volume: asDockerVolume(mount) }))
    const { uid, gid } = this.host.description
    await this.host.createVolume(this.#resource)
    const started = await this.host.startIdle({
      name: this.#resource,
      mounts: [
        { source: this.#resource, target: OWN_VOLUME, mode: 'rw' },
        ...volumes.map(
          ({ volume, access, at }): ContainerMount => ({
            source: volume.source,
            target: at ?? volume.path,
            mode: access === 'read-only' ? 'ro' : 'rw',
          }),
        ),
      ],
      prepare: [
        `mkdir ${DATA}; chmod 700 ${DATA}; chown ${uid}:${gid} ${DATA}`,
        ...volumes.filter(({ access }) => access === 'read-write').map(({ volume }) => volume.handOver),
      ].join('\n'),
      publish: PORT,
    })
    return { started, handle: (await this.host.docker()).getContainer(started.getId()) }
  }

  async #handle(): Promise<Dockerode.Container> {
    if (!this.#container || this.isDestroyed) throw new Error(`${this.name} is not there`)
    return (await this.#container).handle
  }

  protected async initdb(): Promise<void> {
    // A command line is for all to see: the password comes by standard input, and lies in a file while initdb runs.
    const password = Buffer.from(this.host.run.password)
    const script = `umask 077; file=$(mktemp); trap 'rm -f "$file"' EXIT; ${readInput(password)} > "$file"
      initdb -D ${DATA} -U postgres -A scram-sha-256 --pwfile="$file" --no-sync --no-instructions --data-checksums -E UTF8 --locale=C > /dev/null &&
      printf '%s\\n' 'host all all all scram-sha-256' 'host replication all all scram-sha-256' >> ${DATA}/pg_hba.conf`
    await this.#run(script, password)
  }

  protected async launch(settings: Settings): Promise<ServerProcess> {
    const options = {
      ...settings,
      port: PORT,
      listen_addresses: '*',
      unix_socket_directories: '',
      ...(this.#admitted && {
        ssl: true,
        ssl_cert_file: CERTIFICATE_FILE,
        ssl_key_file: KEY_FILE,
        ssl_ca_file: CERTIFICATE_FILE,
      }),
    }
    // The shell becomes postgres: the pid that it prints stays good.
    const script = `echo $$; exec postgres -D ${DATA} ${asArguments(options)} >&2`
    const { user } = this.host.description
    const container = await this.#handle()
    const decoder = new StringDecoder('utf8')
    let pid = ''
    let learnPid: () => void
    const pidKnown = new Promise<void>(resolve => {
      learnPid = resolve
    })
    const { ended } = await startExec(
      container,
      { script, user },
      {
        stdout: chunk => {
          pid += chunk.toString()
          if (pid.includes('\n')) learnPid()
        },
        stderr: chunk => this.log.append(decoder.write(chunk)),
      },
    )
    // Its container was removed with it.
    const outcome = ended.then(exitStatusOrSignal, () => 'SIGKILL')
    return {
      ended: outcome,
      signal: async signal => {
        await Promise.race([pidKnown, outcome])
        // Gone already, the server or its container: that is what was asked for.
        await execute(container, { script: `kill -s ${signal.slice(3)} ${pid.trim()}`, user }).catch(ignoreNotRunning)
      },
      titles: async () => {
        await Promise.race([pidKnown, outcome])
        const printed = await execute(container, { script: printTitlesOfDescendants(pid.trim()), user }).catch(
          ignoreNotRunning,
        )
        return printed?.stdout.toString().split('\n').filter(Boolean) ?? []
      },
    }
  }

  protected async runScript(script: string, { stdin }: { stdin?: Readable } = {}): Promise<string> {
    return await this.#run(script, stdin)
  }

  async #run(script: string, stdin?: Readable | Buffer): Promise<string> {
    const { exitStatus, stdout, stderr } = await execute(await this.#handle(), {
      script,
      user: this.host.description.user,
      ...(stdin ? { stdin } : {}),
    })
    const output = stdout.toString()
    if (exitStatus === 0) return output.replace(/\n$/, '')
    throw commandFailed(`on ${this.name}`, { script, exitStatus, output: stderr || output }, this.host.run.password)
  }

  get lookHint(): string {
    const { user, bin } = this.host.description
    const options = `-c unix_socket_directories=/tmp -c archive_mode=off -c hba_file=/tmp/look.conf`
    return `data in ${DATA} of the container ${this.#resource}; look with docker exec -it -u ${user} ${this.#resource} sh, start a server on it there: echo 'local all all trust' > /tmp/look.conf; ${bin}/postgres -D ${DATA} ${options} & psql -h /tmp -U postgres dispatch`
  }

  protected async remove(): Promise<void> {
    this.isDestroyed = true
    if (!this.#container) return
    // What is being made can only be removed once it is there.
    await this.#container.catch(() => undefined)
    await this.host.remove(this.#resource)
    await removeVolume(await this.host.docker(), this.#resource)
  }
}

/** The folder in the node's own volume. Gone with the node at the latest. */
class DataDirectory extends ContainerVolume {
  constructor(
    name: string,
    path: string,
    user: string,
    private readonly handle: () => Promise<Dockerode.Container>,
  ) {
    super(name, path, user)
  }

  protected container(): Promise<Dockerode.Container> {
    return this.handle()
  }

  async create(): Promise<void> {
    await this.run(`mkdir ${this.path} && chmod 700 ${this.path}`)
  }

  async destroy(): Promise<void> {
    await this.run(`rm -rf ${this.path}`)
  }
}

function asDockerVolume({ volume }: Mount): DockerVolume {
  if (!(volume instanceof DockerVolume)) throw new TypeError(`${volume.name} is not a volume of the docker runtime`)
  volume.assertUsable()
  return volume
}

function asArguments(settings: Settings): string {
  return Object.entries(settings)
    .map(
      ([name, value]) =>
        `-c ${quoteForShell(`${name}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : value}`)}`,
    )
    .join(' ')
}

/** A shell's, and Docker's, way to tell of a signal. */
function exitStatusOrSignal(exitStatus: number): number | string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === exitStatus - 128)
  return signal?.[0] ?? exitStatus
}

/** 404: removed; 409: not running. */
function ignoreNotRunning(error: unknown): undefined {
  if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error
  return undefined
}
