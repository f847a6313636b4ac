import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs'
import path from 'node:path'
import { CannotRun, Failure } from '../../failure.ts'
import { type Member, unsafe } from './member.ts'

const CHUNK_BYTES = 1024 * 1024
/** Links that PostgreSQL itself makes: a tablespace's, and that of `initdb --waldir`. */
const OWN_LINK = /^(?:pg_wal|pg_tblspc\/\d+)$/

/**
 * The files and folders below a folder, which is only read. PostgreSQL's own links are left out: what they lead to is another
 * part of the backup.
 * @throws {Failure} `backup-unsafe` for any other link, a pipe, a socket or a device; `backup-changed`.
 * @throws {CannotRun} when something cannot be read.
 */
export async function* plainMembers(root: string): AsyncIterable<Member> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  yield* walk('')

  async function* walk(folder: string): AsyncIterable<Member> {
    for (const name of reading(path.join(root, folder), () => readdirSync(path.join(root, folder))).sort()) {
      const relative = path.posix.join(folder, name)
      const absolute = path.join(root, relative)
      // Of the file system's own, where the folder is one.
      if (relative === 'lost+found') continue
      const status = reading(absolute, () => lstatSync(absolute))
      if (status.isSymbolicLink()) {
        if (OWN_LINK.test(relative)) continue
        throw unsafe(
          `'${relative}' is a symbolic link to '${readlinkSync(absolute)}', which no base backup has: put the file itself there`,
          relative,
        )
      }
      if (status.isDirectory()) {
        yield { path: relative, kind: 'folder', sizeBytes: 0, content: nothing }
        yield* walk(relative)
      } else if (status.isFile()) {
        yield { path: relative, kind: 'file', sizeBytes: status.size, content: () => contents(absolute, status.size) }
      } else throw unsafe(`'${relative}' is a pipe, a socket or a device, which no base backup has`, relative)
    }
  }

  async function* contents(file: string, sizeBytes: number): AsyncIterable<Buffer> {
    const descriptor = reading(file, () => openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW))
    try {
      if (!fstatSync(descriptor).isFile()) throw changed(file)
      for (let left = sizeBytes; left > 0; ) {
        const bytesRead = readSync(descriptor, chunk, 0, Math.min(left, CHUNK_BYTES), null)
        if (bytesRead === 0) throw changed(file)
        left -= bytesRead
        yield chunk.subarray(0, bytesRead)
      }
    } finally {
      closeSync(descriptor)
    }
  }
}

async function* nothing(): AsyncIterable<Buffer> {
  // A folder has no content.
}

function changed(file: string): Failure {
  return new Failure(
    'backup-changed',
    `${file} became another while it was read: leave the backup alone until the drill is over`,
    { file },
  )
}

/** @throws {CannotRun} with what the operating system says. */
export function reading<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new CannotRun(
      `${file} cannot be read (${(cause as NodeJS.ErrnoException).code}): start the drill as a user who may read all of the backup`,
      { cause },
    )
  }
}
