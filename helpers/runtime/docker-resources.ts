import type Dockerode from 'dockerode'
import { stateOf } from '../run/identity.ts'
import { isKept } from '../run/registry.ts'
import { connectDocker, removeContainer, removeNetwork, removeVolume, statusOf } from './docker-client.ts'
import { findDaemon } from './docker-daemon.ts'
import { DIRECTORY_LABEL, OWNER_LABEL, RUN_LABEL, resourcePrefix } from './docker-description.ts'

/** How often to look again for what is in use by something that was removed a moment later, or was still being made. */
const PASSES = 5

interface Found {
  containers: string[]
  volumes: string[]
  networks: string[]
}

/**
 * Removes every container, volume and network that carries the run's id, and says how many there were.
 * @throws {CannotRun} when no daemon answers; an `Error` when something stays.
 */
export async function sweepDocker(runId: string): Promise<{ containers: number; volumes: number; networks: number }> {
  const docker = await reachDocker()
  const seen = { containers: new Set<string>(), volumes: new Set<string>(), networks: new Set<string>() }
  for (let pass = 1; pass <= PASSES; pass++) {
    const found = await findOf(docker, runId)
    const kinds = ['containers', 'volumes', 'networks'] as const
    if (kinds.every(kind => found[kind].length === 0)) break
    for (const kind of kinds) for (const id of found[kind]) seen[kind].add(id)
    const isLast = pass === PASSES
    await Promise.all(found.containers.map(id => removeContainer(docker, id)))
    await Promise.all([
      ...found.volumes.map(name => removeVolume(docker, name).catch(error => ignoreInUse(error, isLast))),
      ...found.networks.map(id => removeNetwork(docker, id).catch(error => ignoreInUse(error, isLast))),
    ])
  }
  return { containers: seen.containers.size, volumes: seen.volumes.size, networks: seen.networks.size }
}

/**
 * Removes what runs left whose owner is proven dead, and returns their ids. A run of another machine, of which nothing is
 * known here, keeps what it has; so does one whose data the user keeps.
 * @throws {CannotRun} when no daemon answers.
 */
export async function sweepDeadDocker(): Promise<string[]> {
  const docker = await reachDocker()
  const filters = { label: [OWNER_LABEL] }
  const [containers, { Volumes: volumes }, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    docker.listNetworks({ filters }),
  ])
  const dead = new Set<string>()
  for (const { Labels: labels } of [...containers, ...(volumes ?? []), ...networks]) {
    const [runId, owner, directory] = [labels?.[RUN_LABEL], labels?.[OWNER_LABEL], labels?.[DIRECTORY_LABEL]]
    if (runId && owner && directory && stateOf(JSON.parse(owner)) === 'dead' && !isKept(directory)) dead.add(runId)
  }
  for (const runId of dead) await sweepDocker(runId)
  return [...dead]
}

async function reachDocker(): Promise<Dockerode> {
  return (await connectDocker(await findDaemon())).container.dockerode
}

async function findOf(docker: Dockerode, runId: string): Promise<Found> {
  const filters = { label: [`${RUN_LABEL}=${runId}`] }
  const [containers, labelled, named, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listVolumes({ filters }),
    // Docker makes a volume that it is to mount and does not find, and such a one has no label.
    docker.listVolumes({ filters: { name: [resourcePrefix(runId)] } }),
    docker.listNetworks({ filters }),
  ])
  const volumes = [
    ...(labelled.Volumes ?? []),
    ...(named.Volumes ?? []).filter(({ Name }) => Name.startsWith(resourcePrefix(runId))),
  ]
  return {
    containers: containers.map(({ Id }) => Id),
    volumes: [...new Set(volumes.map(({ Name }) => Name))],
    networks: networks.map(({ Id }) => Id),
  }
}

/** 409 for a volume, 403 for a network: a container is still being made or removed. */
function ignoreInUse(error: unknown, isLast: boolean): void {
  if (isLast || (statusOf(error) !== 409 && statusOf(error) !== 403)) throw error
}
