import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { Failure } from '../../failure.ts'
import { crc32c } from '../../postgres/crc32c.ts'
import {
  type BackupManifest,
  checkFiles,
  damagedFiles,
  type ManifestAlgorithm,
  type ManifestFile,
} from '../manifest.ts'
import type { TablespaceLocation } from '../tablespaces.ts'
import type { Layout } from './layout.ts'
import { type Member, unsafe } from './member.ts'
import { TAR_END, tarHeader, tarPadding } from './tar-writer.ts'
import type { BackupPart, UserBackup } from './user-backup.ts'

interface Unpacking {
  where: string
  layout: Layout
  manifest: BackupManifest | undefined
  tablespaces: readonly TablespaceLocation[]
  into: Parameters<UserBackup['unpack']>[0]
  onProgress: Parameters<UserBackup['unpack']>[1]
}

const ALGORITHMS: readonly ManifestAlgorithm[] = ['CRC32C', 'SHA224', 'SHA256', 'SHA384', 'SHA512']

/** The part of `UserBackup.unpack` that every layout shares. */
export async function unpackBackup(plan: Unpacking): Promise<BackupManifest> {
  const { where, layout, manifest, tablespaces, into } = plan
  const reading = new Reading(manifest, plan.onProgress)
  const parts: BackupPart[] = ['base', ...tablespaces.map(({ oid }) => ({ oid }))]
  for (const part of parts) {
    const { volume, folder } = into(part)
    const prefix = part === 'base' ? '' : `pg_tblspc/${part.oid}/`
    await volume.unpack(Readable.from(gathered(reading.pack(layout.members(part), prefix))), folder)
  }
  return reading.finish(where)
}

const GATHERED_BYTES = 256 * 1024

/** The same bytes in fewer pieces: of a small file, the header alone would cost more than all of it. */
async function* gathered(pieces: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let waiting: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    waiting.push(piece)
    bytes += piece.length
    if (bytes < GATHERED_BYTES) continue
    yield waiting.length === 1 ? piece : Buffer.concat(waiting)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}

/**
 * Not taken along: WAL, which comes by the archive; locks and what a start makes anew. Of a tablespace's folder, what a
 * server of another major has in it would do no harm.
 */
const LEFT_OUT =
  /^(?:pg_wal\/(?!archive_status$).+|postmaster\.(?:pid|opts)|pg_replslot\/.+|pg_dynshmem\/.+|pg_stat_tmp\/.+)$/

/** Passes members on as a tar, and keeps what was seen of them. */
class Reading {
  readonly #expected: ReadonlyMap<string, ManifestFile>
  readonly #files = new Map<string, ManifestFile>()
  /** By the manifest's algorithms. */
  readonly #checksums = new Map<string, string>()
  #readBytes = 0
  #manifestSha256: string | undefined

  constructor(
    private readonly manifest: BackupManifest | undefined,
    private readonly onProgress: ((readBytes: number) => void) | undefined,
  ) {
    this.#expected = new Map(manifest?.files.map(file => [file.path, file]))
  }

  async *pack(members: AsyncIterable<Member>, prefix: string): AsyncIterable<Buffer> {
    // The folder itself, too: a tar of nothing is none to some readers.
    yield tarHeader('.', 'folder', 0)
    for await (const member of members) {
      if (prefix === '' && LEFT_OUT.test(member.path)) continue
      yield tarHeader(member.path, member.kind, member.sizeBytes)
      if (member.kind === 'file') {
        yield* this.#passing(member, prefix + member.path)
        yield tarPadding(member.sizeBytes)
      }
    }
    yield TAR_END
  }

  async *#passing(member: Member, path: string): AsyncIterable<Buffer> {
    // Of two files of one name nobody could say which was meant.
    if (this.#files.has(path)) throw unsafe(`'${path}' is in it twice`, path)
    const sha256 = createHash('sha256')
    const algorithm = this.#expected.get(path)?.algorithm ?? 'NONE'
    const other = algorithm === 'NONE' || algorithm === 'SHA256' ? undefined : new Checksum(algorithm)
    for await (const chunk of member.content()) {
      sha256.update(chunk)
      other?.update(chunk)
      this.#readBytes += chunk.length
      this.onProgress?.(this.#readBytes)
      // The reader's chunk is used again, and whoever unpacks may keep it for a while.
      yield Buffer.from(chunk)
    }
    const checksum = sha256.digest('hex')
    if (path === 'backup_manifest') this.#manifestSha256 = checksum
    else this.#files.set(path, { path, sizeBytes: member.sizeBytes, algorithm: 'SHA256', checksum })
    if (this.manifest) this.#checksums.set(path, other?.digest() ?? checksum)
  }

  /** @throws {Failure} `backup-damaged`. */
  finish(where: string): BackupManifest {
    const files = [...this.#files.values()]
    if (this.manifest) {
      const { manifest } = this
      const problems = checkFiles(manifest, files, this.#checksums, ALGORITHMS)
      if (problems.length > 0) throw damagedFiles({ id: where, manifest }, 'is not as it was taken', problems)
      if (this.#manifestSha256 !== manifest.sha256)
        throw new Failure('backup-changed', `${where} was changed while it was read: its manifest is another now`)
    }
    return {
      version: this.manifest?.version ?? 1,
      ...(this.manifest?.systemIdentifier !== undefined && { systemIdentifier: this.manifest.systemIdentifier }),
      files,
      walRanges: this.manifest?.walRanges ?? [],
      sha256: this.#manifestSha256,
    }
  }
}

/** Of a file, by one of the algorithms of a manifest. */
class Checksum {
  readonly #hash: Hash | undefined
  #crc = 0

  constructor(algorithm: Exclude<ManifestAlgorithm, 'NONE'>) {
    this.#hash = algorithm === 'CRC32C' ? undefined : createHash(algorithm.toLowerCase())
  }

  update(chunk: Buffer): void {
    if (this.#hash) this.#hash.update(chunk)
    else this.#crc = crc32c(chunk, this.#crc)
  }

  /** Of CRC-32C, the bytes as they lie in memory, the lowest first. @see `pg_checksum_final` in `src/common/checksum_helper.c` */
  digest(): string {
    if (this.#hash) return this.#hash.digest('hex')
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(this.#crc)
    return bytes.toString('hex')
  }
}
