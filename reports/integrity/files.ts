import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { quoted, Refusal } from './refusal.ts'

/**
 * A path within a bundle, with `/` between its parts. Each character is a byte (latin1): a name need not be UTF-8, and no two
 * names may become one.
 */
export type BundlePath = string

export interface BundleEntry {
  path: BundlePath
  type: 'file' | 'folder' | 'symbolic link' | 'special file'
}

/** Where a bundle's entry is on disk. */
export function onDisk(directory: string, path: BundlePath): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(path, 'latin1')])
}

/** A path of a bundle, fit to stand in a sentence. */
export function shownPath(path: BundlePath): string {
  return quoted(Buffer.from(path, 'latin1').toString('utf8'))
}

/**
 * Everything in a folder and below, hidden files too, a folder before what is in it; no link is followed. Lazily: whoever has
 * seen enough of a folder full of surprises need not go on.
 * @throws {Refusal} where a folder cannot be read.
 */
export function* entriesOf(directory: string, below: BundlePath = ''): Generator<BundleEntry> {
  for (const entry of listed(directory, below)) {
    const path = below + entry.name.toString('latin1')
    if (entry.isFile()) yield { path, type: 'file' }
    else if (entry.isSymbolicLink()) yield { path, type: 'symbolic link' }
    else if (!entry.isDirectory()) yield { path, type: 'special file' }
    else {
      yield { path, type: 'folder' }
      yield* entriesOf(directory, `${path}/`)
    }
  }
}

function listed(directory: string, below: BundlePath) {
  try {
    return readdirSync(onDisk(directory, below), { withFileTypes: true, encoding: 'buffer' })
  } catch (cause) {
    throw new Refusal(`its folder ${shownPath(below || '.')} cannot be read (${codeOf(cause)})`, { cause })
  }
}

/**
 * SHA-256 of a file as hex, read bit by bit, whatever its size.
 * @throws {Refusal} where there is no such regular file, or it cannot be read.
 */
export function sha256OfFile(directory: string, path: BundlePath): string {
  const hash = createHash('sha256')
  for (const chunk of chunksOf(directory, path)) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * A file that has to be in memory as a whole.
 * @throws {Refusal} where there is no such regular file, it cannot be read, or it is larger than `mostBytes`.
 */
export function readBounded(directory: string, path: BundlePath, mostBytes: number): Buffer {
  const chunks: Buffer[] = []
  let bytes = 0
  for (const chunk of chunksOf(directory, path)) {
    bytes += chunk.length
    if (bytes > mostBytes)
      throw new Refusal(`${shownPath(path)} is larger than ${mostBytes} bytes, which none that this suite writes is`)
    chunks.push(Buffer.from(chunk))
  }
  return Buffer.concat(chunks)
}

/** Each chunk is overwritten by the next. */
function* chunksOf(directory: string, path: BundlePath): Generator<Buffer> {
  const file = opened(directory, path)
  try {
    if (!fstatSync(file).isFile()) throw new Refusal(`${shownPath(path)} is no regular file`)
    const chunk = Buffer.allocUnsafe(1 << 16)
    for (let bytes = readSync(file, chunk); bytes > 0; bytes = readSync(file, chunk)) yield chunk.subarray(0, bytes)
  } finally {
    closeSync(file)
  }
}

/** A pipe in a file's place must not keep us waiting, and a link in its place must not lead us out of the bundle. */
function opened(directory: string, path: BundlePath): number {
  try {
    return openSync(onDisk(directory, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT') throw new Refusal(`${shownPath(path)} is missing`, { cause })
    if (code === 'ELOOP')
      throw new Refusal(`${shownPath(path)} is a symbolic link, and a bundle holds files alone`, { cause })
    throw new Refusal(`${shownPath(path)} cannot be read (${code})`, { cause })
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
