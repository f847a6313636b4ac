import { Failure } from '../failure.ts'
import { quoteForShell } from '../runtime/shell.ts'

/** Relative to the data directory. */
export const CONTROL_FILE = 'global/pg_control'

/**
 * What a copy of a running server's data directory leaves out: its locks, what it makes anew at every start, slots that
 * belong to it alone, and WAL, which is the archive's. The folders themselves must be there.
 * @see PostgreSQL documentation, "Backing Up the Data Directory"
 */
const LEFT_OUT = [
  './postmaster.pid',
  './postmaster.opts',
  './backup_manifest',
  './pg_wal/*',
  './pg_replslot/*',
  './pg_dynshmem/*',
  './pg_notify/*',
  './pg_serial/*',
  './pg_snapshots/*',
  './pg_stat_tmp/*',
  './pg_subtrans/*',
  'pgsql_tmp*',
  'pg_internal.init*',
  // Copied last.
  `./${CONTROL_FILE}`,
]

/** Shell that copies a running server's data directory into a folder, and prints what `judgeCopy` reads. */
export function copyDataDirectory(from: string, to: string): string {
  const [source, target] = [from, to].map(quoteForShell)
  const options = LEFT_OUT.map(pattern => quoteForShell(`--exclude=${pattern}`)).join(' ')
  // Of a pipe the shell gives the last exit status alone.
  return `mkdir -p ${target} && cd ${source} &&
    { { tar -c -f - ${options} . 2>&3; echo "exit $?" >&3; } | tar -x -f - -C ${target}; } 3>&1`
}

/**
 * Files that change, shrink or vanish while they are copied are as it must be: replay puts them right.
 * @throws {Failure} `backup-not-copied` when something else went wrong.
 * @see PostgreSQL documentation, "Making a Base Backup Using the Low Level API"
 */
export function judgeCopy(report: string): void {
  const lines = report.split('\n').filter(line => line !== '')
  const status = lines.findLast(line => /^exit \d+$/.test(line))
  const complaints = lines.filter(line => line !== status && !EXPECTED.test(line))
  if (status === undefined) complaints.push('the copy did not come to its end')
  else if (status !== 'exit 0' && lines.length === 1) complaints.push(`tar ended with ${status} and said nothing`)
  if (complaints.length > 0)
    throw new Failure('backup-not-copied', `the data directory was not copied: ${complaints.join('; ')}`, {
      complaints,
    })
}

/** GNU, busybox, BSD; the last line of each only says that there were others. */
const EXPECTED =
  /: (?:file changed as we read it|File removed before we read it|File shrank by \d+ bytes; padding with zeros|(?:Cannot (?:stat|open): )?No such file or directory|Exiting with failure status due to previous errors|error exit delayed from previous errors\.?)$/i
