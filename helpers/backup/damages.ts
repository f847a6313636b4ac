import type { PostgresNode } from '../runtime/postgres-node.ts'
import { quoteForShell } from '../runtime/shell.ts'
import type { Volume } from '../runtime/volume.ts'
import type { BaseBackup } from './base-backup.ts'
import { readFiles, renderManifest } from './own-manifest.ts'

/** One way in which a stored backup goes bad. */
export interface BackupDamage {
  what: string
  /** What a check must say of it: the file, and what is wrong with it. */
  named: string
  inflict(store: Volume, backup: BaseBackup): Promise<void>
}

/**
 * Another copy of a backup in its store, of links: a file that is then replaced there, or removed, stays as it was here.
 * @param server which has the store mounted so that it can write to it.
 */
export async function copyBackup(
  backup: BaseBackup,
  store: Volume,
  server: PostgresNode,
  name: string,
): Promise<BaseBackup> {
  const folder = `${backup.folder}-${name}`
  const [from, to] = [backup.folder, folder].map(one => quoteForShell(`${store.path}/${one}`))
  await server.exec(`cp -al ${from} ${to}`)
  return { ...backup, id: folder, folder, path: `${store.path}/${folder}/base` }
}

/** Every way in which the files of a backup can differ from its manifest, and the manifest from what it was. */
export function damagesOf(backup: BaseBackup): BackupDamage[] {
  const largest = largestFile(backup)
  const size = largest.sizeBytes
  return [
    {
      what: 'a file is missing',
      named: `${largest.path} (missing)`,
      inflict: (store, copy) => store.remove(within(copy, largest.path)),
    },
    {
      what: 'a file is cut off',
      named: `${largest.path} (size: ${size - 1} bytes instead of ${size})`,
      inflict: (store, copy) => change(store, copy, largest.path, bytes => bytes.subarray(0, -1)),
    },
    flippedBit(backup),
    {
      what: 'there is a file too many',
      named: 'base/1/4294967295 (extra)',
      inflict: (store, copy) => store.write(within(copy, 'base/1/4294967295'), ''),
    },
    {
      what: 'backup_label is missing',
      named: 'backup_label (missing)',
      inflict: (store, copy) => store.remove(within(copy, 'backup_label')),
    },
    {
      what: 'the manifest is missing',
      named: 'backup_manifest (missing)',
      inflict: (store, copy) => store.remove(within(copy, 'backup_manifest')),
    },
    {
      what: 'one bit of the manifest is another',
      named: 'backup_manifest (checksum)',
      inflict: (store, copy) => change(store, copy, 'backup_manifest', flipLastBit),
    },
    {
      what: 'a file was changed, and the manifest made to fit it',
      named: 'backup_manifest (checksum)',
      inflict: async (store, copy) => {
        await change(store, copy, largest.path, flipLastBit)
        await store.remove(within(copy, 'backup_manifest'))
        const files = await readFiles(store, `${copy.folder}/base`)
        const walRange = { timeline: backup.timeline, startLsn: backup.startLsn, endLsn: backup.stopLsn }
        const forged = renderManifest({ files, walRange, writtenAt: backup.stoppedAt.slice(0, 19) })
        await store.write(within(copy, 'backup_manifest'), forged)
      },
    },
  ]
}

/** The least that can be wrong, and the only one of them that keeps every file's name and size. */
export function flippedBit(backup: BaseBackup): BackupDamage {
  const { path } = largestFile(backup)
  return {
    what: 'one bit of a file is another',
    named: `${path} (checksum)`,
    inflict: (store, copy) => change(store, copy, path, flipLastBit),
  }
}

function largestFile({ manifest }: BaseBackup): BaseBackup['manifest']['files'][number] {
  return manifest.files.reduce((a, b) => (b.sizeBytes > a.sizeBytes ? b : a))
}

function within({ folder }: BaseBackup, path: string): string {
  return `${folder}/base/${path}`
}

async function change(store: Volume, copy: BaseBackup, path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const bytes = await store.read(within(copy, path))
  await store.write(within(copy, path), change(Buffer.from(bytes)))
}

function flipLastBit(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  return bytes
}
