import { createHash } from 'node:crypto'
import type { Lsn } from '../postgres/lsn.ts'
import type { Volume } from '../runtime/volume.ts'

/** All that a backup consists of, for one that the server has made no manifest of. */
interface OwnManifest {
  files: readonly { path: string; sizeBytes: number; sha256: string }[]
  walRange: { timeline: number; startLsn: Lsn; endLsn: Lsn }
  /** In UTC, as `2026-01-02 03:04:05`: of every file, since nobody asks for it. */
  writtenAt: string
}

/**
 * The text of a `backup_manifest` in PostgreSQL's own format, version 1, so that whatever checks a manifest can check
 * this one. It was made of the copy and not by the server: it shows that nothing has changed since, not that what was
 * copied was right.
 * @see PostgreSQL documentation, "Backup Manifest Format"
 */
export function renderManifest({ files, walRange, writtenAt }: OwnManifest): string {
  const lines = files.map(({ path, sizeBytes, sha256 }) =>
    JSON.stringify({
      ...encodePath(path),
      Size: sizeBytes,
      'Last-Modified': `${writtenAt} GMT`,
      'Checksum-Algorithm': 'SHA256',
      Checksum: sha256,
    }),
  )
  const range = {
    Timeline: walRange.timeline,
    'Start-LSN': String(walRange.startLsn),
    'End-LSN': String(walRange.endLsn),
  }
  const body = `{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
${lines.join(',\n')}
],
"WAL-Ranges": [
${JSON.stringify(range)}
],
`
  return `${body}"Manifest-Checksum": "${createHash('sha256').update(body).digest('hex')}"}\n`
}

/** What is not plain ASCII goes in hexadecimal, as the server does with what is not UTF-8. */
function encodePath(path: string): { Path: string } | { 'Encoded-Path': string } {
  return /^[ -~]*$/.test(path) ? { Path: path } : { 'Encoded-Path': Buffer.from(path).toString('hex') }
}

/** Of every file below `folder` as it lies there now. */
export async function readFiles(store: Volume, folder: string): Promise<OwnManifest['files']> {
  const [files, hashes] = await Promise.all([store.list(folder), store.hash(folder)])
  return files.map(({ path: full, sizeBytes }) => {
    const path = full.slice(folder.length + 1)
    const sha256 = hashes.get(path)
    if (sha256 === undefined) throw new Error(`${full} in ${store.name} vanished while it was read`)
    return { path, sizeBytes, sha256 }
  })
}
