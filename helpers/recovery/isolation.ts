import { Failure } from '../failure.ts'
import type { Settings } from '../postgres/conf.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

/**
 * What keeps a restored server from hurting the one it was restored from: it archives nothing, replicates from and to
 * nobody, waits for no standby of the other's, and runs no job of its own. Written over whatever its backup brought along.
 */
export const ISOLATION: Settings = {
  archive_mode: false,
  archive_command: '',
  archive_library: '',
  archive_cleanup_command: '',
  recovery_end_command: '',
  primary_conninfo: '',
  primary_slot_name: '',
  synchronous_standby_names: '',
  max_logical_replication_workers: 0,
  shared_preload_libraries: '',
  session_preload_libraries: '',
  local_preload_libraries: '',
}

/**
 * Before anything is started: of the settings that a recovery is given on purpose none lets the server archive into an archive that
 * it is restored from. What its backup brought along is written over by `ISOLATION`.
 * @param sources the archives, as the server finds them.
 * @throws {Failure} `archives-into-source`.
 */
export function assertArchivesElsewhere(settings: Settings, sources: readonly { path: string }[]): void {
  const command = String(settings.archive_command ?? '')
  const source = sources.find(({ path }) => command.includes(path))
  if (source)
    throw new Failure(
      'archives-into-source',
      `the server is not to be started: it would archive into ${source.path}, which it is restored from, by archive_command = '${command}'`,
      { archive: source.path },
    )
}

/**
 * Reads the settings back from the running server: a later line, a command line or an include could have won.
 * @param meant names of settings that this recovery was given on purpose.
 * @throws {Failure} `not-isolated`, naming each setting that is not as it must be.
 */
export async function assertIsolated(
  restored: PostgresNode,
  meant: readonly string[] = [],
): Promise<Record<string, string>> {
  const rows = await restored.query('SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', [
    Object.keys(ISOLATION),
  ])
  const seen = Object.fromEntries(rows.map(({ name, setting }) => [name ?? '', setting ?? '']))
  const wrong = Object.entries(ISOLATION).filter(([name, value]) => !meant.includes(name) && !isSet(value, seen[name]))
  if (wrong.length > 0) {
    const list = wrong.map(([name]) => `${name} = '${seen[name] ?? '(unknown)'}'`).join(', ')
    throw new Failure('not-isolated', `${restored.name} could reach what it was restored from: ${list}`, {
      wrong: Object.fromEntries(wrong.map(([name]) => [name, seen[name] ?? null])),
    })
  }
  return seen
}

/** While archiving is off, the server shows `(disabled)` for its command. @see `show_archive_command` in `xlog.c` */
function isSet(value: Settings[string] | undefined, shown: string | undefined): boolean {
  return shown === (value === false ? 'off' : String(value)) || (value === '' && shown === '(disabled)')
}
