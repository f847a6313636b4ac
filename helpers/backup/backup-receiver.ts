import { Failure } from '../failure.ts'
import type { Volume } from '../runtime/volume.ts'
import { explainStoreFailure } from './backup-failure.ts'
import { IncomingTar } from './incoming-tar.ts'
import { type BackupManifest, parseManifest } from './manifest.ts'

/** Puts the messages of a BASE_BACKUP where they belong: each tar into a folder of its own, the manifest beside the data. */
export class BackupReceiver {
  receivedBytes = 0
  readonly archives = new Set<string>()
  #tar: IncomingTar | undefined
  readonly #manifest: Buffer[] = []

  constructor(
    private readonly store: Volume,
    private readonly folder: string,
  ) {}

  /** @see PostgreSQL source, `src/backend/backup/basebackup_copy.c` */
  async take(message: Buffer): Promise<void> {
    const type = String.fromCharCode(message[0] ?? 0)
    const content = message.subarray(1)
    switch (type) {
      case 'n': {
        await this.#tar?.end()
        const name = content.toString('utf8', 0, content.indexOf(0))
        this.archives.add(name)
        this.#tar = new IncomingTar(this.store, `${this.folder}/${folderOf(name)}`)
        return
      }
      case 'm':
        await this.#tar?.end()
        this.#tar = undefined
        return
      case 'd':
        this.receivedBytes += content.length
        if (this.#tar) await this.#tar.write(content)
        else this.#manifest.push(content)
        return
      case 'p':
        return
      default:
        throw new Failure(
          'backup-interrupted',
          `the server sent a message of a type that BASE_BACKUP does not know: ${JSON.stringify(type)}`,
        )
    }
  }

  async finish(): Promise<BackupManifest> {
    const bytes = Buffer.concat(this.#manifest)
    const manifest = parseManifest(bytes)
    await this.store.write(`${this.folder}/base/backup_manifest`, bytes).catch(cause => {
      throw explainStoreFailure(cause)
    })
    return manifest
  }

  /** Settles when nothing is written any more. */
  async abort(): Promise<void> {
    await this.#tar?.abort()
  }
}

function folderOf(archive: string): string {
  const oid = /^(\d+)\.tar$/.exec(archive)?.[1]
  if (archive !== 'base.tar' && oid === undefined)
    throw new Failure(
      'backup-unsafe',
      `the server sent a tar of a name that BASE_BACKUP does not know: ${JSON.stringify(archive)}`,
    )
  return oid === undefined ? 'base' : `tablespaces/${oid}`
}
