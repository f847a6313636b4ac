import type { ProcessIdentity } from '../run/identity.ts'
import type { RunContext } from '../run/registry.ts'
import type { RuntimeDescription } from './runtime.ts'

/** What the run has learned of the daemon and the image. Plain data, so that its workers need not ask again. */
export interface DockerDescription extends RuntimeDescription {
  name: 'docker'
  image: string
  /** `sha256:…`, of what the image's name stood for when the run began. */
  imageId: string
  /** `postgres@sha256:…`, as its registry has it; of an image that is of none, its id. */
  imageDigest: string
  /** Folder in the image that holds `postgres` and `initdb`. */
  bin: string
  /** `PATH` in a container: the image's own, behind `bin`. */
  path: string
  /** The operating system user that PostgreSQL runs as, since it refuses to run as root. */
  user: string
  uid: number
  gid: number
  /** The daemon's address, as `DOCKER_HOST` has it. */
  daemon: string
  /** The daemon publishes ports on this machine: then on loopback alone. */
  isLocal: boolean
  /** The process that the run is. */
  owner: ProcessIdentity
  /** What the user should know of it, as a sentence. */
  note?: string
}

/** Everything that a run makes on a daemon carries these. */
export const RUN_LABEL = 'drill.run'
/** Tells the next run whether the one that made it still lives. */
export const OWNER_LABEL = 'drill.owner'
/** Where its registry is, which says whether the user keeps its data. */
export const DIRECTORY_LABEL = 'drill.directory'

export function labelsOf(run: Pick<RunContext, 'id' | 'directory'>, owner: ProcessIdentity): Record<string, string> {
  return { [RUN_LABEL]: run.id, [OWNER_LABEL]: JSON.stringify(owner), [DIRECTORY_LABEL]: run.directory }
}

/** Of a container, volume or network: the run's id stands first, so that even one without labels is known for the run's. */
export function resourcePrefix(runId: string): string {
  return `drill-${runId}-`
}
