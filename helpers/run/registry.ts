import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { ProcessIdentity } from './identity.ts'
import type { Mark } from './processes.ts'

/** What a run owns, written down before or as it comes to be, so that somebody else can end it when the run cannot. */
export type Owned =
  /** The process that the run is. */
  | { kind: 'owner'; process: ProcessIdentity }
  /** A process that runs drills: ended first, since it would go on making things. */
  | { kind: 'worker'; process: ProcessIdentity }
  /** A server or an application. */
  | { kind: 'process'; process: ProcessIdentity; what: string }
  /** The run has used Docker: its resources carry the label `drill.run` with the run's id. */
  | { kind: 'docker' }
  /** The user ends the run: no drill begins any more. */
  | { kind: 'interrupted' }
  /** The user asked to keep the data of this run: no sweep may remove it. */
  | { kind: 'kept' }

/** The environment variable that every process of a run inherits. Finds those that were started but not yet written down. */
export const RUN_ID_VARIABLE = 'DRILL_RUN_ID'

/** A folder for each run below the system's temporary one, named by this and the run's id; its registry lies in it. */
export const RUN_DIRECTORY_PREFIX = 'drill-'

const FILE = 'owned.jsonl'

/** Where the folders of runs are. Absolute: servers and programs are started from other working directories. */
export function runsFolder(): string {
  return path.resolve(tmpdir())
}

/** Plain data, so that it crosses from the run to its workers. */
export interface RunContext {
  id: string
  /** Holds all that the run puts on this machine. */
  directory: string
  /** Of every server's superuser, made for this run. */
  password: string
}

/** Appends; a line is written whole or not at all. */
export function own(run: Pick<RunContext, 'directory'>, entry: Owned): void {
  appendFileSync(path.join(run.directory, FILE), `${JSON.stringify(entry)}\n`, { mode: 0o600 })
}

/** What stands in the registry of a run's directory; nothing where there is none. A half-written last line is left out. */
export function readOwned(directory: string): Owned[] {
  const file = path.join(directory, FILE)
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => {
      try {
        return [JSON.parse(line) as Owned]
      } catch {
        return []
      }
    })
}

/** Whether the user keeps the data of the run of that directory; also where that is not for this user to read. */
export function isKept(directory: string): boolean {
  try {
    return readOwned(directory).some(entry => entry.kind === 'kept')
  } catch {
    return true
  }
}

/** By which the processes of a run are found that are not written down. */
export function markOf({ id, directory }: Pick<RunContext, 'id' | 'directory'>): Mark {
  return { variable: RUN_ID_VARIABLE, value: id, folder: directory }
}
