import type { PostgresNode } from '../runtime/postgres-node.ts'
import { quoteForShell } from '../runtime/shell.ts'
import type { Volume } from '../runtime/volume.ts'
import type { BaseBackup } from './base-backup.ts'
import { readFiles, renderManifest } from './own-manifest.ts'

/** One way in which a backup goes bad, in its store or on its way out of it. */
export interface BackupDamage {
  what: string
  /** What a check must say of it: the file, and what is wrong with it. */
  named: string
  /** @param folder that the backup's files lie in: of a copy in its store, or that of a data directory restored from it. */
  inflict(volume: Volume, folder: string): Promise<void>
}

type File = Pick<BaseBackup['manifest']['files'][number], 'path' | 'sizeBytes'>

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
  return [
    missing(largest),
    cutOff(largest, largest.sizeBytes - 1),
    flippedBit(largest),
    {
      what: 'there is a file too many',
      named: 'base/1/4294967295 (extra)',
      inflict: (volume, folder) => volume.write(within(folder, 'base/1/4294967295'), ''),
    },
    MISSING_LABEL,
    {
      what: 'the manifest is missing',
      named: 'backup_manifest (missing)',
      inflict: (volume, folder) => volume.remove(within(folder, 'backup_manifest')),
    },
    CHANGED_MANIFEST,
    {
      what: 'a file was changed, and the manifest made to fit it',
      named: 'backup_manifest (checksum)',
      inflict: async (volume, folder) => {
        await change(volume, within(folder, largest.path), flipMiddleBit)
        await volume.remove(within(folder, 'backup_manifest'))
        const files = await readFiles(volume, folder)
        const walRange = { timeline: backup.timeline, startLsn: backup.startLsn, endLsn: backup.stopLsn }
        const forged = renderManifest({ files, walRange, writtenAt: backup.stoppedAt.slice(0, 19) })
        await volume.write(within(folder, 'backup_manifest'), forged)
      },
    },
  ]
}

export function largestFile({ manifest }: BaseBackup): File {
  return manifest.files.reduce((a, b) => (b.sizeBytes > a.sizeBytes ? b : a))
}

export function missing({ path }: File): BackupDamage {
  return {
    what: 'a file is missing',
    named: `${path} (missing)`,
    inflict: (volume, folder) => volume.remove(within(folder, path)),
  }
}

/** @param leftBytes what is left of it. */
export function cutOff({ path, sizeBytes }: File, leftBytes: number): BackupDamage {
  return {
    what: 'a file is cut off',
    named: `${path} (size: ${leftBytes} bytes instead of ${sizeBytes})`,
    inflict: (volume, folder) => change(volume, within(folder, path), bytes => bytes.subarray(0, leftBytes)),
  }
}

/** The least that can be wrong, and the only one of them that keeps every file's name and size. */
export function flippedBit({ path }: File): BackupDamage {
  return {
    what: 'one bit of a file is another',
    named: `${path} (checksum)`,
    inflict: (volume, folder) => change(volume, within(folder, path), flipMiddleBit),
  }
}

export const MISSING_LABEL: BackupDamage = {
  what: 'backup_label is missing',
  named: 'backup_label (missing)',
  inflict: (volume, folder) => volume.remove(within(folder, 'backup_label')),
}

export const CHANGED_MANIFEST: BackupDamage = {
  what: 'one bit of the manifest is another',
  named: 'backup_manifest (checksum)',
  inflict: (volume, folder) => change(volume, within(folder, 'backup_manifest'), flipMiddleBit),
}

function within(folder: string, path: string): string {
  return folder === '' ? path : `${folder}/${path}`
}

async function change(volume: Volume, file: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  await volume.write(file, change(Buffer.from(await volume.read(file))))
}

function flipMiddleBit(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2)
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle)
  return bytes
}
