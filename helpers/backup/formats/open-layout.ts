import { CannotRun, Failure } from '../../failure.ts'
import { type ConfigurationLine, parseConfiguration } from '../../postgres/configuration.ts'
import { type ControlFile, parseControlFile } from '../../postgres/control-file.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { type BackupLabel, parseBackupLabel } from '../backup-label.ts'
import { CONTROL_FILE } from '../live-copy.ts'
import { type BackupManifest, parseManifest } from '../manifest.ts'
import { parseTablespaceMap, type TablespaceLocation } from '../tablespaces.ts'
import { type Layout, walIn } from './layout.ts'
import { contentOf } from './member.ts'
import { unpackBackup } from './unpack.ts'
import type { UserBackup } from './user-backup.ts'

const MAJORS = [15, 16, 17, 18]

/** @param known what was told of the backup elsewhere than in its files. */
export async function openLayout(
  where: string,
  layout: Layout,
  format: UserBackup['format'],
  known: { stopLsn?: Lsn; stoppedAt?: string } = {},
): Promise<UserBackup> {
  const { files, sizeBytes: baseBytes, topFolders } = await lookThrough(layout)
  const serverMajor = readMajor(files, where, topFolders)
  const control = readControl(files, where)
  const manifestBytes = files.get('backup_manifest')
  const manifest = manifestBytes && parseManifest(manifestBytes)
  const { label, takenAt } = readLabel(files, where, { control, manifest })
  if (manifest) refuseMixed(manifest, label, control)
  const tablespaces = readTablespaces(files, layout)
  await assertThere(layout, tablespaces)
  const sizeBytes = manifest
    ? manifest.files.reduce((total, file) => total + file.sizeBytes, 0)
    : baseBytes + (await sizeOf(layout, tablespaces))
  return {
    format,
    where,
    label: label.label,
    timeline: label.timeline,
    startLsn: label.startLsn,
    stopLsn: known.stopLsn ?? manifest?.walRanges.at(-1)?.endLsn,
    stoppedAt: known.stoppedAt,
    takenAt,
    systemIdentifier: control.systemIdentifier,
    serverMajor,
    segmentSizeBytes: control.segmentSizeBytes,
    catalogVersion: control.catalogVersion,
    dataChecksums: control.dataChecksums,
    limits: control.limits,
    manifest,
    tablespaces,
    sizeBytes,
    configuration: readConfiguration(files),
    warnings: warningsOf({ manifest, format, control }),
    unpack: (into, onProgress) => unpackBackup({ where, layout, manifest, tablespaces, into, onProgress }),
    ownWal: () => walIn(layout, control.segmentSizeBytes),
  }
}

/** What is read before anything is unpacked: small files, the manifest aside. */
const WANTED =
  /^(?:PG_VERSION|backup_label|tablespace_map|backup_manifest|global\/pg_control|[^/]+\.conf|(?:[^/]+\.)?conf\.d\/[^/]+\.conf)$/
/** A configuration file that is larger is none. */
const LARGEST_BYTES = 16 * 1024 * 1024

interface Looked {
  files: Map<string, Buffer>
  sizeBytes: number
  /** For an error message. */
  topFolders: string[]
}

async function lookThrough(layout: Layout): Promise<Looked> {
  const looked: Looked = { files: new Map(), sizeBytes: 0, topFolders: [] }
  for await (const member of layout.members('base')) {
    looked.sizeBytes += member.sizeBytes
    const [top = '', ...rest] = member.path.split('/')
    if (rest.length > 0 && looked.topFolders.at(-1) !== top && looked.topFolders.length < 3) looked.topFolders.push(top)
    const isWanted =
      WANTED.test(member.path) && (member.sizeBytes <= LARGEST_BYTES || member.path === 'backup_manifest')
    if (member.kind === 'file' && isWanted) looked.files.set(member.path, await contentOf(member))
  }
  return looked
}

/** @throws what reading the first member throws: that there is no such tar, or that it is none. */
async function assertThere(layout: Layout, tablespaces: readonly TablespaceLocation[]): Promise<void> {
  for (const { oid } of tablespaces) for await (const _ of layout.members({ oid })) break
}

async function sizeOf(layout: Layout, tablespaces: readonly TablespaceLocation[]): Promise<number> {
  let sizeBytes = 0
  for (const { oid } of tablespaces) for await (const member of layout.members({ oid })) sizeBytes += member.sizeBytes
  return sizeBytes
}

function readMajor(files: ReadonlyMap<string, Buffer>, where: string, topFolders: readonly string[]): number {
  const version = files.get('PG_VERSION')?.toString('latin1').trim()
  if (version === undefined)
    throw new CannotRun(
      `${where} has no PG_VERSION at its top${topFolders.length > 0 ? `, but ${topFolders.join(', ')}` : ''}: name a base backup whose top is the data directory`,
    )
  if (!MAJORS.includes(Number(version)))
    throw new CannotRun(
      `${where} is a backup of PostgreSQL ${JSON.stringify(version).slice(1, -1)}: those of ${MAJORS[0]} to ${MAJORS.at(-1)} can be restored here`,
    )
  return Number(version)
}

function readControl(files: ReadonlyMap<string, Buffer>, where: string): ControlFile {
  const bytes = files.get(CONTROL_FILE)
  if (!bytes) throw new CannotRun(`${where} has no ${CONTROL_FILE}: it is only a part of a base backup; name all of it`)
  return parseControlFile(bytes)
}

/** In words that tell an operator what went wrong when it was made. */
function readLabel(
  files: ReadonlyMap<string, Buffer>,
  where: string,
  { control, manifest }: { control: ControlFile; manifest: BackupManifest | undefined },
): { label: BackupLabel; takenAt: string } {
  const text = files.get('backup_label')?.toString('utf8')
  if (text === undefined) {
    if (manifest?.files.some(({ path }) => path === 'backup_label'))
      throw new Failure('backup-damaged', `${where} has lost its backup_label, which its manifest names`, {
        problems: [{ kind: 'missing', path: 'backup_label' }],
      })
    throw new CannotRun(
      `${where} has no backup_label: it is a copy of a data directory (its server was ${control.state}), and a recovery from it would lose rows without a word; name a backup taken with pg_basebackup, or between pg_backup_start and pg_backup_stop`,
    )
  }
  const label = parseBackupLabel(text)
  if (label.incrementalFrom)
    throw new CannotRun(
      `${where} is an incremental backup: combine it with those before it (pg_combinebackup), and name the result`,
    )
  return { label, takenAt: /^START TIME: (.+)$/m.exec(text)?.[1] ?? '' }
}

function refuseMixed(manifest: BackupManifest, label: BackupLabel, control: ControlFile): void {
  const isOfLabel = manifest.walRanges.some(
    ({ startLsn, timeline }) => startLsn.bytes === label.startLsn.bytes && timeline === label.timeline,
  )
  const isOfCluster = (manifest.systemIdentifier ?? control.systemIdentifier) === control.systemIdentifier
  if (isOfLabel && isOfCluster) return
  throw new Failure(
    'backup-mixed',
    `backup_manifest is of another backup than ${isOfCluster ? `backup_label, which begins at ${label.startLsn}` : 'global/pg_control, which is of another cluster'}: take all files from one backup`,
    { startLsn: String(label.startLsn), systemIdentifier: control.systemIdentifier },
  )
}

function readTablespaces(files: ReadonlyMap<string, Buffer>, { format, links }: Layout): TablespaceLocation[] {
  if (format === 'plain') return [...links].map(([oid, location]) => ({ oid, location }))
  return parseTablespaceMap(files.get('tablespace_map')?.toString('utf8') ?? '')
}

/** The last of several lines for a setting counts, and `postgresql.auto.conf` is read last. */
function readConfiguration(files: ReadonlyMap<string, Buffer>): ConfigurationLine[] {
  const rank = (name: string) => (name === 'postgresql.conf' ? 0 : name === 'postgresql.auto.conf' ? 2 : 1)
  return [...files]
    .filter(([name]) => name.endsWith('.conf') && !/^pg_(?:hba|ident)\.conf$/.test(name))
    .sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap(([name, bytes]) => parseConfiguration(bytes.toString('utf8'), name))
}

function warningsOf({
  manifest,
  format,
  control,
}: {
  manifest: BackupManifest | undefined
  format: UserBackup['format']
  control: ControlFile
}): string[] {
  return [
    ...(manifest || format === 'pgbackrest'
      ? []
      : [
          'the backup has no backup_manifest, so that a file that is missing or was changed is not known before a query meets it',
        ]),
    ...(manifest?.files.some(({ algorithm }) => algorithm === 'NONE')
      ? ['the backup_manifest has no checksums of some files, of which only the size is compared']
      : []),
    ...(control.dataChecksums
      ? []
      : ['the cluster has no data checksums, so that a page damaged on its disk is in the backup as it was']),
  ]
}
