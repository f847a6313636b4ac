import type { Config } from '../config.ts'
import { CannotRun } from '../failure.ts'
import type { RunContext } from '../run/registry.ts'
import { own } from '../run/registry.ts'
import type { DockerDescription } from './docker.ts'
import { type EmbeddedDescription, EmbeddedRuntime, openEmbedded } from './embedded.ts'
import type { Load } from './embedded-place.ts'
import type { Runtime } from './runtime.ts'

export type OpenedRuntime = DockerDescription | EmbeddedDescription

/**
 * Opens the runtime that the user forced, else Docker where a daemon answers and the image can be had, else embedded.
 * Docker's code is loaded only where it is looked at: without Docker a run does not pay for it.
 * @throws {CannotRun} when it cannot be used, or Docker is required and cannot be had.
 */
export async function openRuntime(
  config: Pick<Config, 'runtime' | 'image' | 'pgMajor' | 'require'>,
  load: Load,
  run: RunContext,
): Promise<OpenedRuntime> {
  const { pgMajor } = config
  if (config.runtime === 'embedded') return await openEmbedded({ pgMajor, load, reason: 'DRILL_RUNTIME=embedded' }, run)
  const { openDocker, probeDocker } = await import('./docker.ts')
  const openContainers = async (reason: string) => {
    const { sweepDeadDocker } = await import('./docker-resources.ts')
    await sweepDeadDocker()
    own(run, { kind: 'docker' })
    return await openDocker({ image: config.image, reason }, run)
  }
  if (config.runtime === 'docker') return await openContainers('DRILL_RUNTIME=docker')
  const docker = await probeDocker(config.image)
  if (docker.available) return await openContainers('a Docker daemon answers and has the image')
  if (config.require.includes('docker'))
    throw new CannotRun(`Docker is required (DRILL_REQUIRE) and cannot be used: ${docker.reason}`)
  return await openEmbedded({ pgMajor, load, reason: docker.reason }, run)
}

/** In a worker: the runtime that the run has opened. */
export async function joinRuntime(description: OpenedRuntime, run: RunContext): Promise<Runtime> {
  if (description.name === 'embedded') return new EmbeddedRuntime(description, run)
  const { DockerRuntime } = await import('./docker.ts')
  return new DockerRuntime(description, run)
}
