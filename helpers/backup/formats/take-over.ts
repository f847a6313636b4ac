import { redact } from '../../environment.ts'
import { CannotRun } from '../../failure.ts'
import { renderSettings } from '../../postgres/conf.ts'
import type { ConfigurationLine } from '../../postgres/configuration.ts'
import { findRoleFile, readSuperusers } from '../../postgres/role-file.ts'
import type { PostgresNode } from '../../runtime/postgres-node.ts'
import type { UserBackup } from './user-backup.ts'

/** A file or setting of the backup that the restored server does without. */
export interface Neutralised {
  what: string
  why: string
}

/** At the top of the data directory: what decides how a server starts, whom it lets in and whom it obeys. */
const REMOVED: readonly (readonly [RegExp, string])[] = [
  [/^pg_hba\.conf$/, 'says who gets into the original server: the drill alone gets into this one'],
  [/^pg_ident\.conf$/, 'says whom the original server takes for whom: the drill alone gets into this one'],
  [/\.conf$|^(?:.+\.)?conf\.d$/, 'is the configuration of the original server: the drill brings its own'],
  [
    /^(?:recovery|standby)\.signal$|^recovery\.done$/,
    'would have the server follow another: the drill says how it recovers',
  ],
  [/^(?:fallback_)?promote$/, 'would have the server promoted at once'],
  [/^postmaster\.(?:pid|opts)$|^current_logfiles$/, "is of the original server's last start"],
]

const LIBRARIES = 'would load libraries, with workers and jobs of their own'

/** What a restored server would do by a setting of the original one. */
const ACTS: readonly (readonly [RegExp, string])[] = [
  [/^archive_(?:command|library)$/, 'would archive into the archive of the original server'],
  [/^primary_(?:conninfo|slot_name)$/, 'would follow the server that it names'],
  [/^restore_command$/, 'would fetch WAL from where the original server does'],
  [/^(?:archive_cleanup|recovery_end)_command$/, 'would run a command of the original server'],
  [/^recovery_target/, 'would stop recovery at a target of another recovery'],
  [/^promote_trigger_file$/, 'would be promoted by a file of another server'],
  [/^(?:shared|session|local)_preload_libraries$/, LIBRARIES],
  [/^cron\./, 'would schedule jobs'],
  [/^synchronous_standby_names$/, 'would wait for standbys of the original server'],
  [/^(?:data_directory|hba_file|ident_file|external_pid_file|config_file)$/, 'leads to a file of the original server'],
  [/^include(?:_dir|_if_exists)?$/, 'would read further configuration of the original server'],
  [/^(?:listen_addresses|unix_socket_directories)$/, 'would listen where the original server does'],
]

/**
 * Makes an unpacked data directory, once it has been checked, one of the drill's own: no configuration, access or signal file of
 * the backup is left in it, and the limits are those of the control file. `node.connection` is then as a superuser of the backup.
 * @param user a superuser of the original server. Default: the one that initdb made, by the name that it has in the backup.
 * @throws {CannotRun} when there is no superuser who may log in, and what `admit` throws.
 */
export async function neutralise(node: PostgresNode, backup: UserBackup, user?: string): Promise<Neutralised[]> {
  const neutralised = backup.configuration.flatMap(line => {
    const why = line.value === '' ? undefined : ACTS.find(([name]) => name.test(line.name))?.[1]
    return why === undefined ? [] : [{ what: describeLine(line), why: `${why}: not taken over` }]
  })
  for (const { path } of await node.data.entries('')) {
    const why = REMOVED.find(([name]) => name.test(path))?.[1]
    if (why === undefined) continue
    await node.data.remove(path)
    neutralised.push({ what: path, why })
  }
  await node.data.write('postgresql.conf', renderSettings(limitsOf(backup)))
  await node.data.write('postgresql.auto.conf', '')
  await node.admit(user ?? (await findSuperuser(node, backup)))
  return neutralised
}

function describeLine({ file, line, name, value }: ConfigurationLine): string {
  return `${file}, line ${line}: ${redact(`${name} = '${value}'`)}`
}

/** The least with which PostgreSQL starts as it is otherwise configured. */
const LEAST_CONNECTIONS = 20

/**
 * As in the control file, or, where it is raised there and the original server was not started again since, as configured: replay
 * comes to the moment of that start.
 */
function limitsOf({ limits, configuration }: UserBackup): Record<string, number> {
  const atLeast = (name: string, least: number) =>
    Math.max(
      least,
      ...configuration.filter(line => line.name === name && /^\d+$/.test(line.value)).map(line => Number(line.value)),
    )
  return {
    max_connections: Math.max(LEAST_CONNECTIONS, atLeast('max_connections', limits.maxConnections)),
    max_worker_processes: atLeast('max_worker_processes', limits.maxWorkerProcesses),
    max_wal_senders: atLeast('max_wal_senders', limits.maxWalSenders),
    max_prepared_transactions: atLeast('max_prepared_transactions', limits.maxPreparedTransactions),
    max_locks_per_transaction: atLeast('max_locks_per_transaction', limits.maxLocksPerTransaction),
  }
}

async function findSuperuser(node: PostgresNode, { where }: UserBackup): Promise<string> {
  const roles = findRoleFile(await node.data.read('global/pg_filenode.map'))
  const [name] = readSuperusers(await node.data.read(roles))
  if (name === undefined)
    throw new CannotRun(`${where} has no superuser who may log in: name one that has come to be since`)
  return name
}
