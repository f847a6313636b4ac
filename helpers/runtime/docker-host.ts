import { randomBytes } from 'node:crypto'
import type Dockerode from 'dockerode'
import type { StartedTestContainer } from 'testcontainers'
import type { RunContext } from '../run/registry.ts'
import { connectDocker, explainDaemonError, removeContainer, removeNetwork } from './docker-client.ts'
import { type DockerDescription, labelsOf, resourcePrefix } from './docker-description.ts'

/** A volume as a container sees it. */
export interface ContainerMount {
  source: string
  target: string
  mode: 'ro' | 'rw'
}

export interface IdleContainer {
  name: string
  mounts: ContainerMount[]
  /** Shell that makes folders and gives them to the server's user; the container counts as started once it has run. */
  prepare: string
  /** A port that is published; without one the container has no network. */
  publish?: number
}

const READY = 'ready'
/** Bytes. Docker's 64 MB are too few for a parallel index build or hash join: "could not resize shared memory segment". */
const SHARED_MEMORY_BYTES = 256 * 1024 * 1024

/** The daemon as one worker uses it: what every resource of a run has in common, and the network of the worker's servers. */
export class DockerHost {
  #network: Promise<string> | undefined

  constructor(
    readonly description: DockerDescription,
    readonly run: RunContext,
  ) {}

  async docker(): Promise<Dockerode> {
    return (await connectDocker(this.description.daemon)).container.dockerode
  }

  get labels(): Record<string, string> {
    return labelsOf(this.run, this.description.owner)
  }

  uniqueName(name: string): string {
    return `${resourcePrefix(this.run.id)}${name.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}-${randomBytes(4).toString('hex')}`
  }

  /**
   * @param sizeBytes more than this it does not hold: it lies in memory then, and only for as long as a container has it.
   * @see Docker documentation, "docker volume create", "Driver-specific options"
   */
  async createVolume(name: string, sizeBytes?: number): Promise<void> {
    const docker = await this.docker()
    const limit = sizeBytes && { DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `size=${sizeBytes}` } }
    await docker.createVolume({ Name: name, Labels: this.labels, ...limit }).catch(error => {
      throw explainDaemonError(error)
    })
  }

  /**
   * A container that does nothing: what runs in it runs beside its first process, so that its volumes can be worked on and
   * its port stays while no server is up. The first process adopts and reaps what others leave behind.
   */
  async startIdle({ name, mounts, prepare, publish }: IdleContainer): Promise<StartedTestContainer> {
    const { GenericContainer, Wait } = await import('testcontainers')
    await connectDocker(this.description.daemon)
    const idle = `set -e\n${prepare}\necho ${READY}\nset +e\ntrap 'exit 0' TERM INT\nwhile :; do sleep 86400 & wait $!; done`
    const container = new GenericContainer(this.description.image)
      .withAutoCleanup(false)
      .withName(name)
      .withLabels(this.labels)
      .withEntrypoint(['sh', '-c'])
      .withCommand([idle])
      .withUser('0')
      .withEnvironment({ PATH: this.description.path, LC_ALL: 'C', TZ: 'UTC' })
      .withSharedMemorySize(SHARED_MEMORY_BYTES)
      .withBindMounts(mounts)
      .withNetworkMode(publish ? await this.#provideNetwork() : 'none')
      .withWaitStrategy(Wait.forLogMessage(READY))
    if (publish) container.withExposedPorts(publish)
    try {
      return await container.start()
    } catch (error) {
      // It may be there, created and not started.
      await this.remove(name)
      throw explainDaemonError(error)
    }
  }

  async remove(container: string): Promise<void> {
    await removeContainer(await this.docker(), container)
  }

  #provideNetwork(): Promise<string> {
    this.#network ??= this.#createNetwork()
    return this.#network
  }

  async #createNetwork(): Promise<string> {
    const name = this.uniqueName('network')
    const docker = await this.docker()
    // testcontainers publishes ports on every interface, unless the network says otherwise.
    const options = this.description.isLocal ? { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' } : {}
    await docker.createNetwork({ Name: name, Driver: 'bridge', Labels: this.labels, Options: options }).catch(error => {
      throw explainDaemonError(error)
    })
    return name
  }

  /** The network: after all containers that were started here. */
  async destroy(): Promise<void> {
    const network = await this.#network?.catch(() => undefined)
    this.#network = undefined
    if (network !== undefined) await removeNetwork(await this.docker(), network)
  }
}
