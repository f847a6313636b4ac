import type { RunContext } from '../run/registry.ts'
import type { DockerDescription } from './docker-description.ts'
import { DockerHost } from './docker-host.ts'
import { DockerNode } from './docker-node.ts'
import { DockerVolume } from './docker-volume.ts'
import type { PostgresNode } from './postgres-node.ts'
import type { Mount, Runtime } from './runtime.ts'

export type { DockerDescription } from './docker-description.ts'
export { openDocker, probeDocker } from './docker-open.ts'

/**
 * Every server a container of its own on a fresh volume, in a network of this runtime's. No path of this machine is mounted
 * anywhere: the daemon may be on another one.
 */
export class DockerRuntime implements Runtime {
  readonly #host: DockerHost

  constructor(
    readonly description: DockerDescription,
    run: RunContext,
  ) {
    this.#host = new DockerHost(description, run)
  }

  volume(name: string, sizeBytes?: number): DockerVolume {
    return new DockerVolume(name, this.#host, sizeBytes)
  }

  node(name: string, mounts: Mount[]): PostgresNode {
    return new DockerNode(name, mounts, this.#host)
  }

  async destroy(): Promise<void> {
    await this.#host.destroy()
  }
}
