import { randomBytes } from 'node:crypto'
import { Lsn } from '../postgres/lsn.ts'
import type { Row, Session } from '../postgres/session.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { quoteForShell } from '../runtime/shell.ts'
import type { Volume } from '../runtime/volume.ts'
import { parseBackupLabel } from './backup-label.ts'
import { type BaseBackup, readServer } from './base-backup.ts'
import { CONTROL_FILE, copyDataDirectory, judgeCopy } from './live-copy.ts'
import { parseManifest } from './manifest.ts'
import { readFiles, renderManifest } from './own-manifest.ts'

/**
 * A base backup by the low level API, step by step: the server is told, the operator copies, the server is told again.
 * `await using` it: the server forgets a backup whose session has ended.
 * @see PostgreSQL documentation, "Making a Base Backup Using the Low Level API"
 */
export class LowLevelBackup implements AsyncDisposable {
  private constructor(
    private readonly primary: PostgresNode,
    private readonly store: Volume,
    private readonly session: Session,
    readonly id: string,
  ) {}

  /**
   * `pg_backup_start`, at once. What happens until `stop` needs its session.
   * @param store which the server has mounted so that it can write to it.
   */
  static async start(primary: PostgresNode, store: Volume): Promise<LowLevelBackup> {
    const id = `low-level-${randomBytes(4).toString('hex')}`
    const session = await primary.session()
    try {
      await session.query('SELECT pg_backup_start($1, fast => true)', [`drill ${id}`])
      return new LowLevelBackup(primary, store, session, id)
    } catch (error) {
      await session.close()
      throw error
    }
  }

  /** All but the control file. @throws {Failure} `backup-not-copied`. */
  async copyFiles(): Promise<void> {
    judgeCopy(await this.primary.exec(copyDataDirectory(this.primary.data.path, this.#path)))
  }

  /** Last, as the server itself does it. It may tell of a later checkpoint than the backup's: the label stands above it. */
  async copyControlFile(): Promise<void> {
    const [from, to] = [this.primary.data.path, this.#path].map(folder => quoteForShell(`${folder}/${CONTROL_FILE}`))
    await this.primary.exec(`cp ${from} ${to}`)
  }

  /**
   * `pg_backup_stop`; what it returns is stored beside the copy byte by byte, and with it a manifest of our own. Does not wait
   * until the WAL is archived: whoever loses the server next does.
   * @throws {Failure} `backup-label-damaged`.
   */
  async stop(): Promise<BaseBackup> {
    const stopped = await this.session.one<Row & Stopped>(STOP)
    const server = await readServer(this.primary)
    if (stopped.spcmapfile !== '') throw new Error('the server has tablespaces, which were not copied')
    const { startLsn, timeline, label } = parseBackupLabel(stopped.labelfile)
    const stopLsn = Lsn.parse(stopped.lsn)
    await this.store.write(`${this.id}/base/backup_label`, stopped.labelfile)
    const files = await readFiles(this.store, `${this.id}/base`)
    const walRange = { timeline, startLsn, endLsn: stopLsn }
    const bytes = Buffer.from(renderManifest({ files, walRange, writtenAt: server.stoppedAt.slice(0, 19) }))
    await this.store.write(`${this.id}/base/backup_manifest`, bytes)
    return {
      id: this.id,
      folder: this.id,
      path: this.#path,
      label,
      timeline,
      startLsn,
      stopLsn,
      systemIdentifier: stopped.systemIdentifier,
      ...server,
      tablespaces: [],
      manifest: parseManifest(bytes),
      sizeBytes: files.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    }
  }

  get #path(): string {
    return `${this.store.path}/${this.id}/base`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session.close()
  }
}

interface Stopped {
  lsn: string
  labelfile: string
  spcmapfile: string
  systemIdentifier: string
}

const STOP = `SELECT lsn, labelfile, coalesce(spcmapfile, '') AS spcmapfile,
  (SELECT system_identifier FROM pg_control_system()) AS "systemIdentifier"
  FROM pg_backup_stop(wait_for_archive => false)`
