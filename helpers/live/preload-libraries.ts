import type { UserBackup } from '../backup/formats/user-backup.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'

const PRELOADED = ['shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries']

/** The libraries that a backup's server was started with: of several lines for one setting the last counts. */
export function preloadedBy({ configuration }: Pick<UserBackup, 'configuration'>): string[] {
  const names = PRELOADED.flatMap(setting => {
    const value = configuration.findLast(({ name }) => name === setting)?.value ?? ''
    return value.split(',').map(one => one.trim().replaceAll(/^"(.*)"$/g, '$1'))
  })
  return [...new Set(names)].filter(name => name !== '')
}

/** A library's name ends as the system has it; one without a folder lies in PostgreSQL's own. */
const LACKING = `
  SELECT name FROM unnest($1::text[]) AS name
   WHERE NOT EXISTS (SELECT FROM unnest(ARRAY['', '.so', '.dylib', '.dll']) AS suffix,
                                 (SELECT setting FROM pg_config() WHERE name = 'PKGLIBDIR') AS lib (folder)
                      WHERE pg_stat_file(CASE WHEN replace(name, '$libdir', folder) LIKE '/%' THEN replace(name, '$libdir', folder)
                                              ELSE folder || '/' || name END || suffix, true) IS DISTINCT FROM NULL)
   ORDER BY 1`

/**
 * What of them is not where the drill has restored: no restored server is given any, and one that goes into service does not start
 * without.
 */
export async function findMissingLibraries(server: PostgresNode, libraries: readonly string[]): Promise<string[]> {
  const rows = await server.query(LACKING, [libraries])
  return rows.map(({ name }) => String(name))
}
