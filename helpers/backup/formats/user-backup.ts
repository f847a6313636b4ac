import type { WalSource } from '../../archive/wal-source.ts'
import type { ConfigurationLine } from '../../postgres/configuration.ts'
import type { ControlFile } from '../../postgres/control-file.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { Volume } from '../../runtime/volume.ts'
import type { BackupManifest } from '../manifest.ts'
import type { TablespaceLocation } from '../tablespaces.ts'

/** Where a part of a backup is to be unpacked: an empty folder of a volume; '' is the volume itself. */
interface Destination {
  volume: Volume
  folder: string
}

/** `base`: the data directory. */
export type BackupPart = 'base' | { oid: string }

/** What is known of a user's backup before anything of it is copied. It is only read. */
export interface UserBackup {
  format: 'plain' | 'tar' | 'pgbackrest'
  /** As the user gave it. */
  where: string
  label: string
  timeline: number
  startLsn: Lsn
  /** Undefined where neither a manifest nor a backup history file tells. */
  stopLsn: Lsn | undefined
  /** With its offset, for comparison with a target time; undefined where it is not told in UTC. */
  stoppedAt: string | undefined
  /** START TIME of `backup_label`, as it stands there: in the original server's `log_timezone`, and to the second. */
  takenAt: string
  /** In decimal. */
  systemIdentifier: string
  serverMajor: number
  segmentSizeBytes: number
  catalogVersion: number
  dataChecksums: boolean
  limits: ControlFile['limits']
  /** Undefined for a backup taken without one. */
  manifest: BackupManifest | undefined
  /** Those that do not lie in the data directory. */
  tablespaces: TablespaceLocation[]
  /** Of all files together, WAL included. */
  sizeBytes: number
  /** Every setting in the configuration files that the backup brings along, in the order in which PostgreSQL reads them. */
  configuration: ConfigurationLine[]
  /** What a user should know and that stands in no restore's way, a sentence each. */
  warnings: string[]
  /**
   * Streams everything but WAL, links and locks into volumes: plain files and folders alone, whatever the backup holds.
   * @returns the manifest that what was unpacked is to be checked against, with the SHA-256 of each file as it was read.
   * @throws {Failure} `backup-damaged` when a file is not as the backup's own manifest has it, `backup-unsafe`, `backup-truncated`.
   */
  unpack(into: (part: BackupPart) => Destination, onProgress?: (readBytes: number) => void): Promise<BackupManifest>
  /** The WAL segments and histories that the backup brings along (`pg_basebackup -X`), one in memory at a time. */
  ownWal(): AsyncIterable<{ name: string; content: Buffer }>
  /** The WAL archive that belongs to it, where it was found with one: of a pgBackRest repository. */
  archive?: WalSource
}
