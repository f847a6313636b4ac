import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import type Dockerode from 'dockerode'
import type { ContainerRuntimeClient } from 'testcontainers'
import { deadlinesMs } from '../deadlines.ts'
import { CannotRun } from '../failure.ts'
import { identify } from '../run/identity.ts'
import type { RunContext } from '../run/registry.ts'
import { connectDocker, daemonMessage, explainDaemonError, removeContainer, statusOf } from './docker-client.ts'
import { askDaemon, findDaemon } from './docker-daemon.ts'
import { type DockerDescription, labelsOf, resourcePrefix } from './docker-description.ts'
import { digestOf, type ImageFacts, LOOK_AT_IMAGE, readImageFacts } from './docker-image.ts'

/** Base backups with a manifest, and what recovery logs, are relied on from here on. */
const OLDEST_MAJOR = 15

/**
 * Whether Docker can be the runtime: a daemon answers, and it has the image or a registry says that it can be had. Nothing
 * is pulled yet, nothing made. Takes milliseconds where all is there, and never longer than `daemonAnswer` and
 * `registryAnswer` together: who did not ask for Docker does not wait for it.
 */
export async function probeDocker(image: string): Promise<{ available: true } | { available: false; reason: string }> {
  try {
    const daemon = await findDaemon()
    if ((await askDaemon(daemon, `/images/${image}/json`, deadlinesMs.daemonAnswer)).status === 200)
      return { available: true }
    // The daemon asks the registry, without credentials: an image that needs some is pulled when Docker is asked for by name.
    const answer = await askDaemon(daemon, `/distribution/${image}/json`, deadlinesMs.registryAnswer).catch(
      () => undefined,
    )
    if (answer?.status === 200) return { available: true }
    return { available: false, reason: `the Docker daemon has no image ${image}, and no registry offers it` }
  } catch (error) {
    if (error instanceof CannotRun) return { available: false, reason: error.message }
    return { available: false, reason: `the Docker daemon does not answer as it should: ${daemonMessage(error)}` }
  }
}

/**
 * Finds the daemon, sees to the image (pulls it where it is missing), and learns from one short container what a server is
 * run with. In the run's main process.
 * @throws {CannotRun} for all that the user can do something about.
 */
export async function openDocker(
  { image, reason }: { image: string; reason: string },
  run: RunContext,
): Promise<DockerDescription> {
  const daemon = await findDaemon()
  const client = await connectDocker(daemon)
  const { ImageName } = await import('testcontainers')
  // As testcontainers will call it: it puts a mirror's name before, where one is configured.
  const name = ImageName.fromString(image)
  const owner = identify(process.pid)
  try {
    const { Id: imageId, Architecture: architecture, RepoDigests: digests } = await provideImage(client, name)
    const { hasClientPrograms, ...facts } = await lookAt(client.container.dockerode, name.string, architecture, {
      run,
      owner,
    })
    const { host } = client.info.containerRuntime
    const isLocal = ['localhost', '127.0.0.1', '[::1]', '::1'].includes(host)
    return {
      ...facts,
      name: 'docker',
      reason,
      capabilities: ['readOnlyArchive', 'fullArchive', ...(hasClientPrograms ? (['clientPrograms'] as const) : [])],
      image: name.string,
      imageId,
      imageDigest: digestOf(name.string, digests) ?? imageId,
      daemon,
      isLocal,
      owner,
      ...(isLocal
        ? {}
        : {
            note: `the Docker daemon is on ${host}: the servers' ports are open, with a password, on all its interfaces`,
          }),
    }
  } catch (error) {
    throw explainDaemonError(error)
  }
}

async function provideImage(
  client: ContainerRuntimeClient,
  name: Parameters<ContainerRuntimeClient['image']['pull']>[0],
): Promise<Dockerode.ImageInspectInfo> {
  const docker = client.container.dockerode
  const inspect = () =>
    docker
      .getImage(name.string)
      .inspect()
      .catch(error => {
        if (statusOf(error) !== 404) throw error
        return undefined
      })
  const present = await inspect()
  if (present) return present
  let problem = await pull(docker, name.string)
  // With the user's credentials for that registry, which testcontainers finds; it does not say how a pull failed.
  if (problem && /unauthorized|denied|authentication/i.test(problem))
    await client.image.pull(name, { force: true, platform: undefined }).catch(() => undefined)
  else if (problem && /no space left on device/i.test(problem)) throw new Error(problem)
  const pulled = await inspect()
  if (pulled) return pulled
  problem ??= 'it is not there afterwards'
  throw new CannotRun(
    `the image ${name.string} is not on the Docker daemon and cannot be pulled (${problem}): set DRILL_IMAGE to one that is there, or DRILL_RUNTIME=embedded`,
  )
}

/** @returns what went wrong. */
async function pull(docker: Dockerode, image: string): Promise<string | undefined> {
  try {
    const progress = await docker.pull(image)
    return await new Promise(resolve => {
      docker.modem.followProgress(progress, (error, events: { error?: string }[]) =>
        resolve(error?.message ?? events.find(event => event.error)?.error),
      )
    })
  } catch (error) {
    return daemonMessage(error)
  }
}

async function lookAt(
  docker: Dockerode,
  image: string,
  architecture: string,
  { run, owner }: { run: RunContext; owner: DockerDescription['owner'] },
): Promise<ImageFacts> {
  const name = `${resourcePrefix(run.id)}look-${randomBytes(4).toString('hex')}`
  const [stdout, stderr] = [new Collector(), new Collector()]
  let problem = ''
  try {
    await docker.run(image, [LOOK_AT_IMAGE], [stdout, stderr], {
      name,
      Entrypoint: ['sh', '-c'],
      User: '0',
      Tty: false,
      Labels: labelsOf(run, owner),
      HostConfig: { NetworkMode: 'none' },
    })
  } catch (error) {
    problem = daemonMessage(error)
  } finally {
    await removeContainer(docker, name)
  }
  refuseUnlessItRan(image, architecture, problem || stderr.text)
  if (problem) throw new Error(problem)
  const facts = readImageFacts(stdout.text)
  if ('lack' in facts)
    throw new CannotRun(`the image ${image} ${facts.lack}; set DRILL_IMAGE to one that has, such as postgres:18`)
  if (facts.major < OLDEST_MAJOR) {
    throw new CannotRun(
      `the image ${image} has PostgreSQL ${facts.serverVersion}, and the drills need ${OLDEST_MAJOR} or newer: set DRILL_IMAGE to a newer one`,
    )
  }
  return facts
}

function refuseUnlessItRan(image: string, architecture: string, problem: string): void {
  if (/exec format error/i.test(problem)) {
    throw new CannotRun(
      `the programs of the image ${image} (made for ${architecture}) do not run on the Docker daemon's machine: set DRILL_IMAGE to one for its architecture`,
    )
  }
  if (/executable file not found|no such file or directory/i.test(problem) && /\bsh\b/.test(problem)) {
    throw new CannotRun(
      `the image ${image} has no shell, and the drills need one: set DRILL_IMAGE to one that has, such as postgres:18`,
    )
  }
}

class Collector extends Writable {
  text = ''

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}
