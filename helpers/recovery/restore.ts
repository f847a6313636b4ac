import type { BaseBackup } from '../backup/base-backup.ts'
import { verifyBaseBackup } from '../backup/manifest.ts'
import {
  moveTablespaces,
  parseTablespaceMap,
  type RestoredTablespace,
  renderTablespaceMap,
} from '../backup/tablespaces.ts'
import type { Deviation } from '../evidence/evidence.ts'
import { Failure } from '../failure.ts'
import type { Settings } from '../postgres/conf.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { ISOLATION } from './isolation.ts'
import { type RecoveryTarget, type RecoveryTargetAction, targetSettings } from './recovery-target.ts'
import { checkTarget, type Reach } from './target-check.ts'

/** As the runbook writes it. `{archive}` is where the server finds the archive. */
export const RUNBOOK_RESTORE_COMMAND = 'cp "{archive}/%f" "%p"'

/** What a restore has to know of a backup. */
export type RestorableBackup = Omit<BaseBackup, 'folder' | 'path' | 'stoppedAt' | 'manifest'> & {
  /** Undefined where nobody knows it: a target time is then not held against it. */
  stoppedAt: string | undefined
}

/** How a backup that is none of the drill's own comes into a server's data directory, and becomes one of the drill's. */
export interface BackupStream {
  /** Fills data directory and tablespaces, and tells what they are to be checked against. */
  unpack(node: PostgresNode, tablespaces: readonly RestoredTablespace[]): Promise<BaseBackup['manifest']>
  /** Once they have been checked: replaces what would make the restored server act for the original one. */
  neutralise(node: PostgresNode): Promise<void>
}

export interface RestorePlan {
  /** In a store that the node has mounted. */
  backup: BaseBackup
  stream?: undefined
  /** `restore_command`, ready for the server. */
  restoreCommand: string
  target: RecoveryTarget
  action: RecoveryTargetAction
  targetTimeline: 'latest' | 'current' | number
  /** A new place for each tablespace of the backup, which the node has mounted. */
  tablespaces?: readonly RestoredTablespace[]
  /** Written last, over all else: what this one recovery is to do otherwise. */
  settings?: Settings
  /** What the target is held against; `unchecked` where PostgreSQL itself is to be heard. */
  reach: Reach | 'unchecked'
}

/** Of one that lies elsewhere, and is copied straight to where it is restored. */
export interface StreamedRestorePlan extends Omit<RestorePlan, 'backup' | 'stream'> {
  backup: RestorableBackup
  stream: BackupStream
}

/**
 * Restores a base backup onto a node that does not exist yet, checks every file against the backup's manifest, and
 * configures recovery the runbook's way: `recovery.signal`, and the settings in `postgresql.auto.conf`. Nothing is started, and
 * nothing is restored for a target that cannot be reached.
 * @throws {Failure} what `checkTarget` throws, `tablespace-not-restored` when a tablespace has no new place, `tablespace-not-moved` when the server
 *   would look for one elsewhere than in that, `backup-damaged` when the files are not those of the manifest.
 * @see PostgreSQL documentation, "Recovering Using a Continuous Archive Backup"
 */
export async function restoreBaseBackup(node: PostgresNode, plan: RestorePlan | StreamedRestorePlan): Promise<void> {
  const { backup, restoreCommand, target, action, targetTimeline, tablespaces = [], settings = {}, reach } = plan
  const configured = {
    restore_command: restoreCommand,
    recovery_target_timeline: String(targetTimeline),
    ...targetSettings(target, action),
    ...ISOLATION,
    ...settings,
  }
  if (reach !== 'unchecked') checkTarget({ target, targetTimeline, settings: configured, backup }, reach)
  const manifest = plan.stream
    ? await unpack(node, plan.stream, tablespaces)
    : await copyFromStore(node, plan.backup, tablespaces)
  await verifyBaseBackup({ id: backup.id, manifest }, node.data, tablespaces)
  if (backup.tablespaces.length > 0) {
    await node.data.write(TABLESPACE_MAP, moveTablespaces(await tablespaceMap(node, backup), tablespaces))
    await assertTablespacesMoved(node, backup)
  }
  if (plan.stream) await plan.stream.neutralise(node)
  await node.configure(configured)
  await node.data.write('recovery.signal', '')
}

async function copyFromStore(
  node: PostgresNode,
  backup: BaseBackup,
  tablespaces: readonly RestoredTablespace[],
): Promise<BaseBackup['manifest']> {
  await node.initFrom(backup)
  for (const { oid, volume, folder } of tablespaces) {
    const [from, to] = [`${backup.path}/../tablespaces/${oid}`, `${volume.path}/${folder}`]
    await node.exec(`mkdir -p '${to}' && cp -a '${from}/.' '${to}' && chmod 700 '${to}'`)
  }
  return backup.manifest
}

async function unpack(
  node: PostgresNode,
  stream: BackupStream,
  tablespaces: readonly RestoredTablespace[],
): Promise<BaseBackup['manifest']> {
  let manifest: BaseBackup['manifest'] | undefined
  await node.initWith(async () => {
    manifest = await stream.unpack(node, tablespaces)
  })
  if (!manifest) throw new Error(`${node.name} was not filled`)
  return manifest
}

const TABLESPACE_MAP = 'tablespace_map'

/** A plain backup has links in its place. */
async function tablespaceMap(node: PostgresNode, { tablespaces }: Pick<BaseBackup, 'tablespaces'>): Promise<string> {
  const names = await node.data.entries('')
  if (!names.some(({ path }) => path === TABLESPACE_MAP)) return renderTablespaceMap(tablespaces)
  return (await node.data.read(TABLESPACE_MAP)).toString('utf8')
}

/**
 * The map that came with the backup names the folders of the server it was taken of: a start would write there, and where it
 * names none, recovery makes folders in the data directory in its place.
 */
async function assertTablespacesMoved(
  node: PostgresNode,
  { tablespaces }: Pick<BaseBackup, 'tablespaces'>,
): Promise<void> {
  const map = parseTablespaceMap((await node.data.read(TABLESPACE_MAP)).toString('utf8'))
  const wrong = tablespaces.flatMap(({ oid, location: original }) => {
    const place = map.find(one => one.oid === oid)?.location
    if (place === undefined) return [`tablespace ${oid} has no place in tablespace_map`]
    return place === original || place.startsWith(`${original}/`)
      ? [`tablespace ${oid} would be looked for in ${place}, where the original server has it`]
      : []
  })
  if (wrong.length > 0)
    throw new Failure('tablespace-not-moved', `${node.name} is not to be started: ${wrong.join('; ')}`, { wrong })
}

/** What has to be done beyond the runbook's section 3, step 4, and the words for it that the runbook lacks. */
export function deviationsOf({ target, reach }: Pick<RestorePlan, 'target' | 'reach'>): readonly Deviation[] {
  if (target.kind === 'latest') return ALWAYS
  return reach === 'unchecked' ? [...WITH_TARGET, ...ALWAYS] : [CHECKED, ...WITH_TARGET, ...ALWAYS]
}

const CHECKED: Deviation = {
  section: '3.4',
  what: 'the target was held against the end of the base backup, the archive and the clock before anything was restored',
  why: 'PostgreSQL may recover past a time before the end of the backup and promote, and tells of a target that it does not reach only after replaying everything',
  proposedText:
    "Note with every base backup the LSN and the time at which it ended. Before a restore, see that the target is not before these and that the archive holds its segment and the history of its timeline. Write a target time with its offset, for example: recovery_target_time = '2026-11-23 01:48:50.123456+00'.",
}

const WITH_TARGET: readonly Deviation[] = [
  {
    section: '3.4',
    what: 'exactly one recovery target was set, such as recovery_target_lsn with recovery_target_inclusive = off',
    why: 'without one, recovery replays to the end of the archive, the bad change included, and promotes',
    proposedText:
      "Set exactly one recovery target just before the bad change, for example: recovery_target_lsn = '0/3000060' and recovery_target_inclusive = off.",
  },
  {
    section: '3.4',
    what: "recovery_target_action = 'pause' was written",
    why: 'a wrong target can be corrected while the server is paused; after promotion it takes a new restore',
    proposedText:
      "Set recovery_target_action = 'pause', verify the data read-only, and only then promote with SELECT pg_promote().",
  },
]

const ALWAYS: readonly Deviation[] = [
  {
    section: '3.4',
    what: 'every other recovery_target setting was written empty',
    why: 'the postgresql.auto.conf of a server that was itself recovered still holds the old target, and two targets are refused',
    proposedText: "Write every recovery_target setting that is not used as ''.",
  },
  {
    section: '3.4',
    what: 'archiving, replication and preloaded libraries were switched off on the restored server',
    why: 'it would otherwise archive into the production archive, follow the production server or run its scheduled jobs',
    proposedText:
      "Before the first start set archive_mode = off, archive_command = '', primary_conninfo = '' and shared_preload_libraries = '', and mount the archive read-only.",
  },
  {
    section: '3.4',
    what: "the restored files were checked against the backup's manifest before the start",
    why: 'a damaged file is found now instead of by a user later',
    proposedText: 'Check the restored files with pg_verifybackup before the first start.',
  },
]
