import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'
import path from 'node:path'
import { classifyArchiveFile } from '../../archive/archive-file.ts'
import type { Compression } from '../../archive/compression.ts'
import { CannotRun } from '../../failure.ts'
import { readBytes } from './byte-reader.ts'
import { contentOf, type Member } from './member.ts'
import { plainMembers, reading } from './plain-members.ts'
import { tarMembers } from './tar-members.ts'
import type { BackupPart } from './user-backup.ts'

/** Where the parts of a backup lie. */
export interface Layout {
  format: 'plain' | 'tar'
  /** All of a part, from its beginning. Of `base`, links and the tablespaces that they lead to are left out. */
  members(part: BackupPart): AsyncIterable<Member>
  /** Where WAL lies: paths end with the names of its files. */
  wal(): AsyncIterable<Member>
  /** Tablespaces that links lead to, by oid; a tar has a map instead. */
  links: Map<string, string>
}

/** As `pg_basebackup -F plain` leaves it. @throws {CannotRun} when a tablespace's link leads nowhere. */
export function plainLayout(root: string): Layout {
  const links = new Map(tablespaceLinks(root))
  return {
    format: 'plain',
    links,
    members: part => plainMembers(part === 'base' ? root : (links.get(part.oid) ?? '')),
    wal: () => {
      const folder = path.join(root, 'pg_wal')
      return plainMembers(existsSync(folder) ? realpathSync(folder) : folder)
    },
  }
}

function tablespaceLinks(root: string): [string, string][] {
  const folder = path.join(root, 'pg_tblspc')
  if (!existsSync(folder)) return []
  return reading(folder, () => readdirSync(folder, { withFileTypes: true })).flatMap(entry => {
    if (!entry.isSymbolicLink() || !/^\d+$/.test(entry.name)) return []
    const link = path.join(folder, entry.name)
    if (!existsSync(link))
      throw new CannotRun(
        `${link} leads to ${readlinkSync(link)}, which is not there: put the files of tablespace ${entry.name} back where the backup has them`,
      )
    return [[entry.name, realpathSync(link)] as [string, string]]
  })
}

/** How a packed file was packed, by its first bytes. */
const MAGIC: readonly (readonly [string, string])[] = [
  ['1f8b', 'gz'],
  ['28b52ffd', 'zst'],
  ['04224d18', 'lz4'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
]

/** @throws {CannotRun} for a compression that cannot be undone here. */
function compressionOf(file: string): Compression | undefined {
  const head = Buffer.alloc(6)
  reading(file, () => {
    const descriptor = openSync(file, 'r')
    try {
      readSync(descriptor, head, 0, head.length, 0)
    } finally {
      closeSync(descriptor)
    }
  })
  const found = MAGIC.find(([magic]) => head.toString('hex').startsWith(magic))?.[1]
  if (found === undefined || found === 'gz' || found === 'zst') return found
  throw new CannotRun(
    `${file} is compressed with ${found}, which is not read here: unpack it beside the others, and take backups with gzip or zstd, or uncompressed`,
  )
}

/** @param file of a tar, whichever way it is compressed. */
export async function* membersOfTar(file: string): AsyncIterable<Member> {
  const compression = compressionOf(file)
  const reader = reading(file, () => readBytes(file, compression))
  try {
    yield* tarMembers(reader, file)
  } finally {
    await reader.close()
  }
}

/**
 * As `pg_basebackup -F tar` leaves it.
 * @param base the file with the data directory.
 * @param beside files of the same backup, by name without what the compression adds: `16384.tar`, `pg_wal.tar`, `backup_manifest`.
 */
export function tarLayout(base: string, beside: ReadonlyMap<string, string>): Layout {
  const manifest = beside.get('backup_manifest')
  const wal = beside.get('pg_wal.tar')
  return {
    format: 'tar',
    links: new Map(),
    async *members(part) {
      yield* membersOfTar(part === 'base' ? base : besideOrThrow(beside, part.oid, base))
      if (part === 'base' && manifest !== undefined) yield memberOfFile('backup_manifest', manifest)
    },
    wal: () => membersOfTar(wal ?? base),
  }
}

function besideOrThrow(beside: ReadonlyMap<string, string>, oid: string, base: string): string {
  const file = beside.get(`${oid}.tar`)
  if (file !== undefined) return file
  throw new CannotRun(
    `${oid}.tar is missing beside ${base}: the backup has a tablespace of that number; put its tar there`,
  )
}

function memberOfFile(name: string, file: string): Member {
  const content = reading(file, () => readFileSync(file))
  return {
    path: name,
    kind: 'file',
    sizeBytes: content.length,
    content: async function* () {
      yield content
    },
  }
}

/** The WAL that a backup brings along, in its `pg_wal` or a tar of its own. */
export async function* walIn(
  layout: Layout,
  segmentSizeBytes: number,
): AsyncIterable<{ name: string; content: Buffer }> {
  for await (const member of layout.wal()) {
    const name = member.path.startsWith('pg_wal/') ? member.path.slice('pg_wal/'.length) : member.path
    const { kind } = classifyArchiveFile(name, segmentSizeBytes)
    if (member.kind === 'file' && (kind === 'segment' || kind === 'history' || kind === 'backup'))
      yield { name, content: await contentOf(member) }
  }
}
