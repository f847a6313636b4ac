import { createHash } from 'node:crypto'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Volume, VolumeFile } from '../runtime/volume.ts'
import type { BaseBackup } from './base-backup.ts'
import type { RestoredTablespace } from './tablespaces.ts'

export interface ManifestFile {
  /** Relative to the data directory; a tablespace's files stand below `pg_tblspc/<oid>/`, wherever they lie. */
  path: string
  sizeBytes: number
  /** Lower-case hexadecimal. */
  checksum?: string
  algorithm: (typeof ALGORITHMS)[number] | 'NONE'
}

/** What the server says a base backup consists of, as it stands in the backup's `backup_manifest`. */
export interface BackupManifest {
  version: 1 | 2
  /** In decimal; from PostgreSQL 17 on (version 2). */
  systemIdentifier?: string
  files: ManifestFile[]
  /** All WAL without which the backup cannot reach a consistent state. */
  walRanges: { timeline: number; startLsn: Lsn; endLsn: Lsn }[]
  /** SHA-256 of `backup_manifest` itself, all of it; undefined where the backup has none, and this is only what was read of it. */
  sha256: string | undefined
}

export type ManifestAlgorithm = ManifestFile['algorithm']

export interface ManifestProblem {
  kind: 'missing' | 'extra' | 'size' | 'checksum'
  path: string
  /** What the manifest says: bytes for `size`, a checksum for `checksum`. */
  expected?: number | string
  found?: number | string
}

const ALGORITHMS = ['CRC32C', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const

const hexadecimal = z.string().regex(/^([0-9a-f]{2})+$/i)

const schema = z.strictObject({
  'PostgreSQL-Backup-Manifest-Version': z.literal([1, 2]),
  // Has more digits than a number holds: it is taken from the text.
  'System-Identifier': z.number().optional(),
  Files: z.array(
    z
      .strictObject({
        Path: z.string().optional(),
        'Encoded-Path': hexadecimal.optional(),
        Size: z.int().nonnegative(),
        'Last-Modified': z.string(),
        'Checksum-Algorithm': z.enum(ALGORITHMS).optional(),
        Checksum: hexadecimal.optional(),
      })
      .refine(file => (file.Path === undefined) !== (file['Encoded-Path'] === undefined), 'needs one path')
      .refine(
        file => (file.Checksum === undefined) === (file['Checksum-Algorithm'] === undefined),
        'needs both checksum and algorithm, or none',
      ),
  ),
  'WAL-Ranges': z.array(
    z.strictObject({ Timeline: z.int().positive(), 'Start-LSN': z.string(), 'End-LSN': z.string() }),
  ),
  'Manifest-Checksum': z.string(),
})

const LAST_LINE = /^"Manifest-Checksum": "([0-9a-f]{64})"\}\n$/i
const SYSTEM_IDENTIFIER = /^\{\s*"PostgreSQL-Backup-Manifest-Version":\s*2,\s*"System-Identifier":\s*(\d+)\s*,/

/**
 * Reads a `backup_manifest`, versions 1 (PostgreSQL 13 to 16) and 2 (17 on), once its own checksum has been found right.
 * @throws {Failure} `manifest-damaged` when a byte of it was changed, or it is not a manifest at all.
 * @see PostgreSQL documentation, "Backup Manifest Format"
 */
export function parseManifest(bytes: Buffer): BackupManifest {
  const lastLineAt = bytes.lastIndexOf('\n', -2) + 1
  const checksum = LAST_LINE.exec(bytes.toString('utf8', lastLineAt))?.[1]?.toLowerCase()
  if (checksum === undefined) throw damaged('it does not end with the line that holds its checksum')
  const found = sha256(bytes.subarray(0, lastLineAt))
  if (found !== checksum) throw damaged('it was changed: its checksum is another', { expected: checksum, found })

  const text = bytes.toString('utf8')
  const content = parseContent(text)
  const systemIdentifier = SYSTEM_IDENTIFIER.exec(text)?.[1]
  const files = content.Files.map(file => ({
    path: file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString('utf8'),
    sizeBytes: file.Size,
    algorithm: file['Checksum-Algorithm'] ?? ('NONE' as const),
    ...(file.Checksum !== undefined && { checksum: file.Checksum.toLowerCase() }),
  }))
  const repeated = findRepeated(files.map(file => file.path))
  if (repeated !== undefined) throw damaged(`it names ${repeated} twice`)
  return {
    version: content['PostgreSQL-Backup-Manifest-Version'],
    ...(systemIdentifier !== undefined && { systemIdentifier }),
    files,
    walRanges: content['WAL-Ranges'].map(range => ({
      timeline: range.Timeline,
      startLsn: Lsn.parse(range['Start-LSN']),
      endLsn: Lsn.parse(range['End-LSN']),
    })),
    sha256: sha256(bytes),
  }
}

function parseContent(text: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw damaged(
      `it is not one: ${cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)}`,
      {},
      { cause },
    )
  }
}

function damaged(why: string, evidence: Record<string, unknown> = {}, options?: ErrorOptions): Failure {
  return new Failure('manifest-damaged', `the backup's manifest cannot be relied on: ${why}`, evidence, options)
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function findRepeated(values: string[]): string | undefined {
  const seen = new Set<string>()
  return values.find(value => seen.size === seen.add(value).size)
}

/**
 * What pg_verifybackup leaves out, found or missing: the manifest cannot list itself, WAL is the archive's, and the rest
 * is what a restore writes. All of it stands at the top of the data directory.
 * @see PostgreSQL source, `src/bin/pg_verifybackup/pg_verifybackup.c` (`ignore_list`; the same in 15 to 18)
 */
const IGNORED = new Set(['backup_manifest', 'pg_wal', 'postgresql.auto.conf', 'recovery.signal', 'standby.signal'])

function isIgnored(path: string): boolean {
  const end = path.indexOf('/')
  return IGNORED.has(end < 0 ? path : path.slice(0, end))
}

/**
 * Compares files with a manifest as pg_verifybackup does: a file of the wrong size is not also reported for its checksum,
 * and one that the manifest has no checksum of is compared by size.
 * @param hashes by path.
 * @param algorithms those that the hashes were made with, where the manifest names them.
 * @returns sorted by path; empty when all is well.
 * @throws when the manifest's checksums are of another kind: then nothing is proven.
 */
export function checkFiles(
  manifest: BackupManifest,
  files: readonly VolumeFile[],
  hashes: ReadonlyMap<string, string>,
  algorithms: readonly ManifestAlgorithm[] = ['SHA256'],
): ManifestProblem[] {
  const sizes = new Map(files.map(file => [file.path, file.sizeBytes]))
  const problems: ManifestProblem[] = []
  for (const { path, sizeBytes, algorithm, checksum } of manifest.files) {
    const found = sizes.get(path)
    sizes.delete(path)
    if (isIgnored(path)) continue
    if (algorithm !== 'NONE' && !algorithms.includes(algorithm))
      throw new Error(
        `the manifest has a ${algorithm} checksum of ${path}: only ${algorithms.join(', ')} can be compared`,
      )
    if (found === undefined) problems.push({ kind: 'missing', path })
    else if (found !== sizeBytes) problems.push({ kind: 'size', path, expected: sizeBytes, found })
    else if (checksum !== undefined && hashes.get(path) !== checksum)
      problems.push({ kind: 'checksum', path, expected: checksum, found: hashes.get(path) ?? 'none' })
  }
  for (const path of sizes.keys()) if (!isIgnored(path)) problems.push({ kind: 'extra', path })
  return problems.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

/** How many problems a failure's message names; its evidence has the first hundred. */
const NAMED = 5

/**
 * Checks every file of a restored data directory, before its first start, against the manifest that came with the backup.
 * @param tablespaces where the backup's tablespaces were restored to. Until the first start nothing in the data directory
 * points there.
 * @throws {Failure} `backup-damaged`, with how many files and the first of them.
 */
export async function verifyBaseBackup(
  backup: CheckedBackup,
  data: Volume,
  tablespaces: readonly RestoredTablespace[] = [],
): Promise<void> {
  const problems = await findProblems(backup, [
    { volume: data, folder: '', prefix: '' },
    ...tablespaces.map(({ volume, folder, oid }) => ({ volume, folder, prefix: `pg_tblspc/${oid}/` })),
  ])
  if (problems.length > 0) throw damagedFiles(backup, 'was not restored as it was taken', problems)
}

/** The same where the backup lies in its store. @throws {Failure} `backup-damaged`, as `verifyBaseBackup`. */
export async function verifyStoredBackup(backup: BaseBackup, store: Volume): Promise<void> {
  const problems = await findProblems(backup, [
    { volume: store, folder: `${backup.folder}/base`, prefix: '' },
    ...backup.tablespaces.map(({ oid }) => ({
      volume: store,
      folder: `${backup.folder}/tablespaces/${oid}`,
      prefix: `pg_tblspc/${oid}/`,
    })),
  ])
  if (problems.length > 0) throw damagedFiles(backup, 'is not stored as it was taken', problems)
}

type CheckedBackup = Pick<BaseBackup, 'id' | 'manifest'>

interface Place {
  volume: Volume
  folder: string
  /** Of its files' paths in the manifest. */
  prefix: string
}

async function findProblems(backup: CheckedBackup, places: readonly Place[]): Promise<ManifestProblem[]> {
  const contents = await Promise.all(places.map(readPlace))
  const files = contents.flatMap(content => content.files)
  const hashes = new Map(contents.flatMap(content => content.hashes))
  const problems = checkFiles(backup.manifest, files, hashes)
  const manifestHash = hashes.get('backup_manifest')
  if (backup.manifest.sha256 !== undefined && manifestHash !== backup.manifest.sha256) {
    problems.unshift({
      kind: manifestHash === undefined ? 'missing' : 'checksum',
      path: 'backup_manifest',
      expected: backup.manifest.sha256,
      found: manifestHash ?? 'none',
    })
  }
  return problems
}

/** @param what is wrong with the backup, as a predicate. */
export function damagedFiles(backup: CheckedBackup, what: string, problems: readonly ManifestProblem[]): Failure {
  const named = problems.slice(0, NAMED).map(describe).join(', ')
  return new Failure(
    'backup-damaged',
    `backup ${backup.id} ${what}: ${problems.length} of ${backup.manifest.files.length} files differ from its manifest: ${named}${problems.length > NAMED ? ', …' : ''}`,
    { backup: backup.id, count: problems.length, problems: problems.slice(0, 100) },
  )
}

async function readPlace({
  volume,
  folder,
  prefix,
}: Place): Promise<{ files: VolumeFile[]; hashes: [string, string][] }> {
  const [files, hashes] = await Promise.all([volume.list(folder), volume.hash(folder)])
  const skip = folder === '' ? 0 : folder.length + 1
  return {
    files: files.map(file => ({ path: prefix + file.path.slice(skip), sizeBytes: file.sizeBytes })),
    hashes: [...hashes].map(([path, hash]) => [prefix + path, hash]),
  }
}

function describe({ kind, path, expected, found }: ManifestProblem): string {
  if (kind === 'size') return `${path} (size: ${found} bytes instead of ${expected})`
  return `${path} (${kind})`
}
