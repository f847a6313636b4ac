import path from 'node:path'
import type { Readable } from 'node:stream'
import type Dockerode from 'dockerode'
import { commandFailed } from './command-failed.ts'
import { listingScript, NO_FOLDER_STATUS, parseListed, UNREADABLE_STATUS } from './container-listing.ts'
import { removeVolume } from './docker-client.ts'
import { type ExecResult, execute, readInput } from './docker-exec.ts'
import type { DockerHost } from './docker-host.ts'
import { quoteForShell } from './shell.ts'
import { byPath, noFolder, unreadableFolder, type Volume, type VolumeEntry, type VolumeFile } from './volume.ts'

/** GNU and busybox alike: a server may remove a file between finding it and reading it. */
const VANISHED = /No such file or directory$/

/**
 * Files in a container, worked on by shell scripts as the server's user. With what coreutils and busybox have in common, so
 * that Debian's and Alpine's images both serve: no `find -printf`, no `stat --printf`, no `mv -T`, no long options.
 */
export abstract class ContainerVolume implements Volume {
  constructor(
    readonly name: string,
    readonly path: string,
    private readonly user: string,
  ) {}

  abstract create(): Promise<void>
  abstract destroy(): Promise<void>
  /** One that has the volume mounted so that it can be written to. */
  protected abstract container(): Promise<Dockerode.Container>

  async list(folder = ''): Promise<VolumeFile[]> {
    const output = await this.#overFiles(folder, `stat -L -c '%s %n'`)
    return output
      .map(line => {
        const [, sizeBytes, file] = /^(\d+) \.\/(.*)$/.exec(line) ?? []
        if (file === undefined) throw new Error(`a file's name in ${this.name} has a line break: ${line}`)
        return { path: path.posix.join(folder, file), sizeBytes: Number(sizeBytes) }
      })
      .sort(byPath)
  }

  async entries(folder: string): Promise<VolumeEntry[]> {
    const absolute = this.#pathOf(folder)
    const script = listingScript(absolute)
    const result = await this.#execute(script)
    if (result.exitStatus === NO_FOLDER_STATUS) throw noFolder(absolute)
    if (result.exitStatus === UNREADABLE_STATUS) throw unreadableFolder(absolute, 'permission denied')
    return this.#linesOf(result, script)
      .map(line => {
        const entry = parseListed(line)
        if (!entry) throw new Error(`the listing of ${absolute} has a line that is not understood: ${line}`)
        return entry
      })
      .sort(byPath)
  }

  async hash(folder = ''): Promise<Map<string, string>> {
    const output = await this.#overFiles(folder, 'sha256sum')
    const hashes = output.map((line): [string, string] => {
      const [, hash, file] = /^([0-9a-f]{64}) [ *]\.\/(.*)$/.exec(line) ?? []
      if (hash === undefined || file === undefined)
        throw new Error(`a file's name in ${this.name} has a line break or a backslash: ${line}`)
      return [file, hash]
    })
    return new Map(hashes.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
  }

  async read(file: string, into?: Buffer): Promise<Buffer> {
    if (!into) return (await this.run(`cat ${this.#at(file)}`)).stdout
    const { stdout } = await this.run(`head -c ${into.length} ${this.#at(file)}`)
    return into.subarray(0, stdout.copy(into))
  }

  async write(file: string, content: Buffer | string): Promise<void> {
    const bytes = Buffer.from(content)
    await this.run(
      `umask 077; file=${this.#at(file)}; new="$file.$$.tmp"
      mkdir -p "$(dirname "$file")" && ${readInput(bytes)} > "$new" && [ "$(wc -c < "$new")" -eq ${bytes.length} ] && mv -f "$new" "$file" || { rm -f "$new"; exit 1; }`,
      bytes,
    )
  }

  async remove(target: string): Promise<void> {
    await this.run(`rm -rf ${this.#at(target)}`)
  }

  async rename(from: string, to: string): Promise<void> {
    // `mv` would move into a folder that is there; an empty one gives way, as it does in rename(2).
    await this.run(
      `umask 077; from=${this.#at(from)}; to=${this.#at(to)}
      mkdir -p "$(dirname "$to")" && { [ ! -d "$to" ] || rmdir "$to"; } && mv -f "$from" "$to"`,
    )
  }

  async unpack(tar: Readable, folder: string): Promise<void> {
    // What stands behind the end of an archive is read, too: who sends it would otherwise find nobody there.
    await this.run(
      `umask 077; folder=${this.#at(folder)}; mkdir -p "$folder" && tar -x -o -C "$folder" -f - && cat > /dev/null`,
      tar,
    )
  }

  /** @throws {Failure} `command-failed`. */
  protected async run(script: string, stdin?: Readable | Buffer): Promise<ExecResult> {
    const result = await this.#execute(script, stdin)
    if (result.exitStatus !== 0) throw commandFailed(`in ${this.name}`, { ...result, script, output: result.stderr })
    return result
  }

  async #execute(script: string, stdin?: Readable | Buffer): Promise<ExecResult> {
    return await execute(await this.container(), { script, user: this.user, ...(stdin ? { stdin } : {}) })
  }

  /** The lines that a command prints about every regular file below a folder, which it is given as `./path`. */
  async #overFiles(folder: string, command: string): Promise<string[]> {
    const script = `folder=${this.#at(folder)}; [ -d "$folder" ] || exit 0; cd "$folder" && find -L . -type f -exec ${command} {} +`
    return this.#linesOf(await this.#execute(script), script)
  }

  /** @throws {Failure} `command-failed`, unless all that went wrong is that a file was removed meanwhile. */
  #linesOf(result: ExecResult, script: string): string[] {
    const complaints = result.stderr.split('\n').filter(line => line !== '')
    if (result.exitStatus !== 0 && !(complaints.length > 0 && complaints.every(line => VANISHED.test(line))))
      throw commandFailed(`in ${this.name}`, { ...result, script, output: result.stderr })
    return result.stdout
      .toString()
      .split('\n')
      .filter(line => line !== '')
  }

  /** Quoted. */
  #at(relative: string): string {
    return quoteForShell(this.#pathOf(relative))
  }

  /** @throws {RangeError} for a path that leads out of the volume. */
  #pathOf(relative: string): string {
    const full = path.posix.join(this.path, relative)
    if (full !== this.path && !full.startsWith(`${this.path}/`))
      throw new RangeError(`${relative} leads out of ${this.name}`)
    return full
  }
}

/**
 * A volume of Docker's. A container that does nothing keeps it reachable; `create()` begins to start it and does not wait,
 * so that several volumes and servers start side by side.
 */
export class DockerVolume extends ContainerVolume {
  /** As the daemon knows it. */
  readonly source: string
  #made: Promise<void> | undefined
  #keeper: Promise<Dockerode.Container> | undefined
  #isDestroyed = false

  constructor(
    name: string,
    private readonly host: DockerHost,
    readonly sizeBytes?: number,
  ) {
    const source = host.uniqueName(name)
    // The unique name: two volumes of the same name may be mounted into one server.
    super(name, `/drill-volumes/${source}`, host.description.user)
    this.source = source
  }

  /** Shell that hands the mounted volume to the server's user: Docker makes it root's. */
  get handOver(): string {
    return `chown ${this.host.description.uid}:${this.host.description.gid} ${quoteForShell(this.path)}`
  }

  /** @throws when it was never made or is gone: Docker would make a volume without labels in its place. */
  assertUsable(): Promise<Dockerode.Container> {
    if (this.#keeper === undefined || this.#isDestroyed) throw new Error(`the volume ${this.name} is not there`)
    return this.#keeper
  }

  async create(): Promise<void> {
    this.#made ??= this.host.createVolume(this.source, this.sizeBytes)
    await this.#made
    if (this.#isDestroyed) throw new Error(`the volume ${this.name} was destroyed`)
    this.#keeper ??= this.#startKeeper()
    // Who uses the volume first gets the error.
    this.#keeper.catch(() => undefined)
  }

  async #startKeeper(): Promise<Dockerode.Container> {
    const mounts = [{ source: this.source, target: this.path, mode: 'rw' as const }]
    const keeper = await this.host.startIdle({ name: this.source, mounts, prepare: this.handOver })
    return (await this.host.docker()).getContainer(keeper.getId())
  }

  protected async container(): Promise<Dockerode.Container> {
    return await this.assertUsable()
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true
    if (this.#made === undefined) return
    // What is being made can only be removed once it is there.
    await this.#made.catch(() => undefined)
    await this.#keeper?.catch(() => undefined)
    await this.host.remove(this.source)
    await removeVolume(await this.host.docker(), this.source)
  }
}
