import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  type Dirent,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { UnpackSync } from 'tar'
import { giveTo, type OperatingSystemUser } from './embedded-user.ts'
import { byPath, noFolder, unreadableFolder, type Volume, type VolumeEntry, type VolumeFile } from './volume.ts'

const READ_BYTES = 1024 * 1024

/** A folder on this machine. */
export class EmbeddedVolume implements Volume {
  constructor(
    readonly name: string,
    readonly path: string,
    private readonly user: OperatingSystemUser | undefined,
  ) {}

  async create(): Promise<void> {
    this.#makeFolder(this.path)
  }

  async list(folder = ''): Promise<VolumeFile[]> {
    const files: VolumeFile[] = []
    this.#walk(folder, files)
    return files.sort(byPath)
  }

  async entries(folder: string): Promise<VolumeEntry[]> {
    const absolute = this.#at(folder)
    try {
      const real = realpathSync(absolute)
      return readdirSync(real, { withFileTypes: true })
        .flatMap(entry => orUndefined(() => entryOf(real, entry)) ?? [])
        .sort(byPath)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw code === 'ENOENT' || code === 'ENOTDIR'
        ? noFolder(absolute, { cause: error })
        : unreadableFolder(absolute, message, { cause: error })
    }
  }

  async hash(folder = ''): Promise<Map<string, string>> {
    const hashes = new Map<string, string>()
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (const file of await this.list(folder)) {
      hashes.set(path.posix.relative(folder, file.path), await hashFile(this.#at(file.path), buffer))
    }
    return hashes
  }

  async read(file: string, into?: Buffer): Promise<Buffer> {
    // `readFile` comes back for every half mebibyte.
    await using handle = await open(this.#at(file))
    const bytes = into ?? Buffer.allocUnsafe((await handle.stat()).size)
    let length = 0
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return bytes.subarray(0, length)
  }

  async write(file: string, content: Buffer | string): Promise<void> {
    this.#makeFolder(path.dirname(this.#at(file)))
    const unfinished = `${this.#at(file)}.${randomBytes(4).toString('hex')}.tmp`
    writeFileSync(unfinished, content, { mode: 0o600 })
    giveTo(this.user, unfinished)
    renameSync(unfinished, this.#at(file))
  }

  async remove(target: string): Promise<void> {
    await rm(this.#at(target), { recursive: true, force: true })
  }

  async rename(from: string, to: string): Promise<void> {
    this.#makeFolder(path.dirname(this.#at(to)))
    renameSync(this.#at(from), this.#at(to))
  }

  async unpack(tar: Readable, folder: string): Promise<void> {
    this.#makeFolder(this.#at(folder))
    // The synchronous one: over a thousand small files it takes a fifth of the time.
    const unpack = new UnpackSync({ cwd: this.#at(folder), noMtime: true, strict: true, ...this.user })
    for await (const chunk of tar) unpack.write(chunk as Buffer)
    unpack.end()
  }

  async destroy(): Promise<void> {
    // A backend that outlives its postmaster by a moment may still add a file while its folder is being emptied.
    await rm(this.path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
  }

  #at(relative: string): string {
    return path.join(this.path, relative)
  }

  /** With the folders that lead to it, all of them the server user's. */
  #makeFolder(folder: string): void {
    if (existsSync(folder)) return
    if (folder !== this.path) this.#makeFolder(path.dirname(folder))
    mkdirSync(folder, { mode: 0o700 })
    giveTo(this.user, folder)
  }

  /** Synchronous, since a thousand small files take several times as long otherwise; a listing is over in milliseconds. */
  #walk(folder: string, files: VolumeFile[]): void {
    for (const name of orUndefined(() => readdirSync(this.#at(folder))) ?? []) {
      const relative = path.posix.join(folder, name)
      // A server may remove a file between the two looks; then it is not there, and that is what the list says.
      const status = orUndefined(() => statSync(this.#at(relative)))
      if (status?.isDirectory()) this.#walk(relative, files)
      else if (status?.isFile()) files.push({ path: relative, sizeBytes: status.size })
    }
  }
}

/** @param folder without a symbolic link in its path. */
function entryOf(folder: string, entry: Dirent): VolumeEntry {
  const file = path.join(folder, entry.name)
  const other = (kind: VolumeEntry['kind']) => ({ path: entry.name, sizeBytes: 0, kind, version: '' })
  if (entry.isSymbolicLink() && !staysIn(folder, file)) return other('link')
  if (entry.isDirectory()) return other('folder')
  const status = statSync(file)
  if (!status.isFile()) return other(status.isDirectory() ? 'folder' : 'special')
  const version = `${status.ino}.${status.mtimeMs}.${status.ctimeMs}`
  return { path: entry.name, sizeBytes: status.size, kind: 'file', version }
}

/** Of a link that leads nowhere, or round in a circle, nobody can say so. */
function staysIn(folder: string, link: string): boolean {
  try {
    return realpathSync(link).startsWith(`${folder}/`)
  } catch {
    return false
  }
}

/** @throws what `look` throws, but for a file or folder that is not there. */
function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Synchronous within a chunk, for the same reason; between chunks, others have their turn. */
async function hashFile(file: string, buffer: Buffer): Promise<string> {
  const hash = createHash('sha256')
  const descriptor = openSync(file, 'r')
  try {
    for (;;) {
      const bytesRead = readSync(descriptor, buffer, 0, buffer.length, null)
      hash.update(buffer.subarray(0, bytesRead))
      if (bytesRead < buffer.length) return hash.digest('hex')
      await setImmediate()
    }
  } finally {
    closeSync(descriptor)
  }
}
