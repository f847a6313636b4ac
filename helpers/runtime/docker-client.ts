import type Dockerode from 'dockerode'
import type { ContainerRuntimeClient } from 'testcontainers'
import { CannotRun } from '../failure.ts'

// testcontainers' own reaper is off: it is an image that an offline machine cannot have, and it would end with the process
// that started it. Every resource carries labels of ours instead, by which a run, its janitor or the next run removes it.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'

let client: Promise<ContainerRuntimeClient> | undefined

/**
 * testcontainers' client, connected to the daemon at `address` and no other. One for each process: testcontainers keeps the
 * first it makes. Loaded here, not imported: it takes longer to load than a probe may last.
 * @throws {CannotRun} when the daemon does not answer any more.
 */
export function connectDocker(address: string): Promise<ContainerRuntimeClient> {
  client ??= connect(address)
  return client
}

async function connect(address: string): Promise<ContainerRuntimeClient> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  const configured = process.env.DOCKER_HOST
  // Left to itself it turns to the next usual address where the configured one does not answer.
  process.env.DOCKER_HOST = address
  try {
    return await getContainerRuntimeClient()
  } catch (cause) {
    throw new CannotRun(
      `the Docker daemon at ${address} does not answer: start it, or set DOCKER_HOST to where it is`,
      { cause },
    )
  } finally {
    if (configured === undefined) delete process.env.DOCKER_HOST
    else process.env.DOCKER_HOST = configured
  }
}

/** What an error of the daemon's says, without the HTTP client's words around it. */
export function daemonMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^\(HTTP code \d+\) [^-]*- /, '').trim()
}

/** As `CannotRun` where the user can do something about it, else as it is. */
export function explainDaemonError(error: unknown): unknown {
  const message = daemonMessage(error)
  if (/no space left on device/i.test(message)) {
    return new CannotRun(
      'the disk of the Docker daemon is full: free some space, for instance with `docker system prune`',
      { cause: error },
    )
  }
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED' || code === 'ENOENT')
    return new CannotRun('the Docker daemon is gone: start it again', { cause: error })
  return error
}

/** Succeeds where there is nothing (any more), and waits where somebody else is removing it just now. */
export async function removeContainer(docker: Dockerode, id: string): Promise<void> {
  const container = docker.getContainer(id)
  try {
    // With the anonymous volumes that an image's VOLUME lines make.
    await container.remove({ force: true, v: true })
  } catch (error) {
    if (statusOf(error) === 409) await container.wait({ condition: 'removed' }).catch(ignoreGone)
    else ignoreGone(error)
  }
}

/** @throws when a container still uses it. */
export async function removeVolume(docker: Dockerode, name: string): Promise<void> {
  await docker.getVolume(name).remove({ force: true }).catch(ignoreGone)
}

/** @throws when a container is still connected to it. */
export async function removeNetwork(docker: Dockerode, id: string): Promise<void> {
  await docker.getNetwork(id).remove().catch(ignoreGone)
}

function ignoreGone(error: unknown): void {
  if (statusOf(error) !== 404) throw error
}

export function statusOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode
}
