import type { PostgresNode } from './postgres-node.ts'
import type { Volume } from './volume.ts'

export type RuntimeName = 'docker' | 'embedded'

/**
 * What only some runtimes can do. A drill that needs one of these where it is missing is `not exercised`, with the reason.
 * - `readOnlyArchive`: a server can be given the archive so that it cannot write to it
 * - `fullArchive`: an archive can be made so small that it fills up
 * - `networkCut`: a server can be cut off from the others while it runs
 * - `clientPrograms`: PostgreSQL's own client programs are where the server runs, `pg_basebackup` and its kin
 */
export type Capability = 'readOnlyArchive' | 'fullArchive' | 'networkCut' | 'clientPrograms'

/** All that a worker needs to join a runtime that the run has opened: plain data, so that it crosses processes. */
export interface RuntimeDescription {
  name: RuntimeName
  /** As `server_version` gives it: `18.4`. */
  serverVersion: string
  major: number
  /** Why this runtime was taken, as it stands on the first line of a run: "no Docker daemon answers". */
  reason: string
  capabilities: Capability[]
}

export interface Mount {
  volume: Volume
  access: 'read-only' | 'read-write'
  /** Where the server finds it; default: the volume's own path. With `readOnlyArchive` alone. */
  at?: string
}

/** What a drill is run on. Both implementations make things inert: nothing exists before `create()` or `init()`. */
export interface Runtime {
  readonly description: RuntimeDescription
  /** Unique names are the runtime's business: two volumes may be asked for by the same name. */
  /** @param sizeBytes more than this it does not hold; only with `fullArchive`. */
  volume(name: string, sizeBytes?: number): Volume
  node(name: string, mounts: Mount[]): PostgresNode
  /** Removes what volumes and nodes shared. Comes after they are destroyed. */
  destroy(): Promise<void>
}
