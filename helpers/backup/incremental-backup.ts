import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { Failure } from '../failure.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { quoteForShell } from '../runtime/shell.ts'
import type { Volume } from '../runtime/volume.ts'
import { parseBackupLabel } from './backup-label.ts'
import { type BaseBackup, readServer } from './base-backup.ts'
import { parseManifest } from './manifest.ts'

/** A backup of a chain, full or incremental, as `pg_basebackup` has stored it. */
export interface ChainLink {
  /** Of its folder in the store. */
  folder: string
  /** As the server sees it. */
  path: string
}

/**
 * Takes backups with PostgreSQL's own programs, where the server runs: a full one, then incremental ones, each upon the last;
 * and combines them. Needs the runtime's capability `clientPrograms`, PostgreSQL 17 and `summarize_wal`.
 * @see PostgreSQL documentation, "Making an Incremental Backup"
 */
export class BackupChain {
  readonly links: ChainLink[] = []
  /** As it was when the last one had been taken: what is combined later is no later backup. */
  #server: Awaited<ReturnType<typeof readServer>> | undefined
  readonly #name = `chain-${randomBytes(4).toString('hex')}`

  /** @param store which the server has mounted so that it can write to it. */
  constructor(
    private readonly primary: PostgresNode,
    private readonly store: Volume,
  ) {}

  /** The first one is full. @throws {Failure} `command-failed`. */
  async take(): Promise<ChainLink> {
    const last = this.links.at(-1)
    const link = this.#place(String(this.links.length))
    const { user, password } = this.primary.connection
    // By standard input: a command line is for all to see.
    await this.primary.exec(
      `read -r PGPASSWORD; export PGPASSWORD; mkdir -p ${quoteForShell(`${this.store.path}/${this.#name}`)}
      exec pg_basebackup -h 127.0.0.1 -U ${quoteForShell(user)} -D ${quoteForShell(link.path)} --checkpoint=fast --wal-method=none --no-sync --manifest-checksums=SHA256 --label=${quoteForShell(`drill ${link.folder}`)} ${last ? `--incremental=${quoteForShell(`${last.path}/backup_manifest`)}` : ''}`,
      { stdin: Readable.from([`${password}\n`]) },
    )
    this.#server = await readServer(this.primary)
    this.links.push(link)
    return link
  }

  /**
   * What `pg_combinebackup` makes of all of them: a full backup, as it would have been taken in place of the last one. It is
   * checked by `pg_verifybackup`.
   * @throws {Failure} `command-failed`, with what the programs said: links that do not follow upon each other are refused;
   *   `backup-incomplete` when the result is not of the last backup.
   */
  async combine(): Promise<BaseBackup> {
    const combined = this.#place('combined')
    const base = quoteForShell(combined.path)
    await this.primary.exec(
      `pg_combinebackup --no-sync --manifest-checksums=SHA256 -o ${base} ${this.links.map(({ path }) => quoteForShell(path)).join(' ')} &&
      pg_verifybackup --quiet --no-parse-wal ${base}`,
    )
    const label = parseBackupLabel(await this.#read(combined, 'backup_label'))
    const last = this.links.at(-1)
    const expected = last && parseBackupLabel(await this.#read(last, 'backup_label'))
    if (!this.#server || !expected?.startLsn.equals(label.startLsn) || label.incrementalFrom)
      throw new Failure(
        'backup-incomplete',
        `what was combined is the backup of ${label.startLsn}, and the last one was taken at ${expected?.startLsn}`,
      )
    const manifest = parseManifest(await this.store.read(`${combined.folder}/base/backup_manifest`))
    const [range] = manifest.walRanges
    if (!range || manifest.walRanges.length > 1)
      throw new Failure('backup-incomplete', 'the manifest of what was combined names no one range of WAL')
    return {
      id: combined.folder,
      folder: combined.folder,
      path: combined.path,
      label: label.label,
      timeline: label.timeline,
      startLsn: label.startLsn,
      stopLsn: range.endLsn,
      systemIdentifier: manifest.systemIdentifier ?? '',
      ...this.#server,
      tablespaces: [],
      manifest,
      sizeBytes: manifest.files.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    }
  }

  #place(name: string): ChainLink {
    const folder = `${this.#name}/${name}`
    return { folder, path: `${this.store.path}/${folder}/base` }
  }

  async #read({ folder }: ChainLink, file: string): Promise<string> {
    return (await this.store.read(`${folder}/base/${file}`)).toString('utf8')
  }
}
