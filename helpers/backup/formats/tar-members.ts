import type { ByteReader } from './byte-reader.ts'
import { type Member, truncated, unsafe } from './member.ts'

export const BLOCK_BYTES = 512
/** Of what stands before a member to say what its header has no room for. */
const LONGEST_EXTENSION_BYTES = 1024 * 1024

/** Where a header's fields stand. @see POSIX, pax, "ustar Interchange Format" */
const NAME = [0, 100] as const
const SIZE = [124, 136] as const
const CHECKSUM = [148, 156] as const
const TYPE_AT = 156
const LINK = [157, 257] as const
const MAGIC = [257, 262] as const
const PREFIX = [345, 500] as const

const REFUSED: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a pipe',
  S: 'a sparse file, which only GNU tar can unpack: pack the backup without --sparse',
}

interface Extension {
  path?: string
  sizeBytes?: number
}

/**
 * The members of a tar, as PostgreSQL's own programs write one, or GNU, BSD, busybox and Python: long names and sizes in
 * whatever way. Refuses whatever is neither file nor folder, or would leave the folder that it is unpacked into.
 * @throws {Failure} `backup-unsafe`, `backup-truncated`.
 * @see POSIX, pax, "pax Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
export async function* tarMembers(reader: ByteReader, file: string): AsyncIterable<Member> {
  let extension: Extension = {}
  for (;;) {
    const header = await reader.read(BLOCK_BYTES)
    if (!header) throw truncated(file, 'the tar ends before its end marker')
    // A second block of zeros, and what is behind it, is padding.
    if (header.every(byte => byte === 0)) return
    const { type, path, link, sizeBytes } = parseHeader(header, extension, file)
    if (type === 'x' || type === 'L') {
      const text = await readExtension(reader, sizeBytes, file)
      extension = { ...extension, ...(type === 'L' ? { path: untilZero(text) } : parsePax(text, file)) }
      continue
    }
    if (type === 'g' || type === 'K') {
      await readExtension(reader, sizeBytes, file)
      continue
    }
    extension = {}
    yield* memberOf(reader, { type, path, link, sizeBytes })
  }
}

interface Header {
  type: string
  path: string
  link: string
  sizeBytes: number
}

async function* memberOf(reader: ByteReader, { type, path, link, sizeBytes }: Header): AsyncIterable<Member> {
  if (type === '2')
    throw unsafe(
      `'${path}' is a symbolic link to '${link}', and what it leads to is not in the tar${
        path.includes('pg_tblspc/') ? ': give the backup as a folder, or take it with pg_basebackup -F t' : ''
      }`,
      path,
    )
  const isFolder = type === '5' || (isFile(type) && path.endsWith('/') && sizeBytes === 0)
  if (!isFolder && !isFile(type))
    throw unsafe(`'${path}' is ${REFUSED[type] ?? `of the unknown type ${JSON.stringify(type)}`}`, path)
  if (isFolder && sizeBytes !== 0) throw unsafe(`'${path}' is both a folder and a file`, path)
  const place = safePath(path)
  const paddingBytes = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES
  let isRead = false
  async function* content() {
    isRead = true
    yield* reader.pieces(sizeBytes)
    await reader.skip(paddingBytes)
  }
  // The folder itself is there anyway.
  if (place !== '') yield { path: place, kind: isFolder ? 'folder' : 'file', sizeBytes, content }
  if (!isRead) await reader.skip(sizeBytes + paddingBytes)
}

/** '7' is a contiguous file, which nobody writes any more; a zero is that of the oldest tars. */
function isFile(type: string): boolean {
  return type === '0' || type === '\0' || type === '7'
}

/** @throws {Failure} `backup-unsafe`. */
function safePath(path: string): string {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  if (path.startsWith('/') || parts.includes('..') || path.includes('\0'))
    throw unsafe(`'${path}' would leave the folder that it is unpacked into`, path)
  return parts.join('/')
}

function parseHeader(header: Buffer, extension: Extension, file: string): Header {
  if (readNumber(header.subarray(...CHECKSUM)) !== checksumOf(header))
    throw truncated(file, 'it is no tar, or a header in it was changed')
  const isUstar = header.toString('latin1', ...MAGIC) === 'ustar'
  const prefix = isUstar && header[MAGIC[1]] === 0 ? untilZero(header.subarray(...PREFIX)) : ''
  const name = untilZero(header.subarray(...NAME))
  const path = extension.path ?? (prefix === '' ? name : `${prefix}/${name}`)
  const sizeBytes = extension.sizeBytes ?? readNumber(header.subarray(...SIZE))
  if (!Number.isSafeInteger(sizeBytes)) throw truncated(file, `the size of '${path}' in it cannot be read`)
  const type = String.fromCharCode(header[TYPE_AT] ?? 0)
  return { type, path, link: untilZero(header.subarray(...LINK)), sizeBytes }
}

async function readExtension(reader: ByteReader, sizeBytes: number, file: string): Promise<Buffer> {
  if (sizeBytes > LONGEST_EXTENSION_BYTES) throw truncated(file, `a header in it says ${sizeBytes} bytes of a name`)
  const padded = await reader.read(Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES)
  return (padded ?? Buffer.alloc(0)).subarray(0, sizeBytes)
}

/** Records of a length in decimal, which counts itself, a space, `keyword=value` and a line feed. */
function parsePax(text: Buffer, file: string): Extension {
  const extension: Extension = {}
  for (let at = 0; at < text.length; ) {
    const length = Number.parseInt(/^\d+(?= )/.exec(text.toString('latin1', at, at + 16))?.[0] ?? '', 10)
    const [, keyword, value] = /^\d+ ([^=]+)=(.*)\n$/s.exec(text.toString('utf8', at, at + length)) ?? []
    if (!(length > 0) || keyword === undefined || value === undefined)
      throw truncated(file, 'it has a pax header that is not one')
    if (keyword.startsWith('GNU.sparse.')) throw unsafe(`it has ${REFUSED.S}`, keyword)
    if (keyword === 'path') extension.path = value
    if (keyword === 'size') extension.sizeBytes = /^\d+$/.test(value) ? Number(value) : Number.NaN
    at += length
  }
  return extension
}

function untilZero(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Octal digits and what stands around them, or, where those do not suffice, bytes after a first one of 0x80. Anything else is `NaN`. */
function readNumber(field: Buffer): number {
  if (field[0] === 0x80) return Number(`0x${field.toString('hex', 1)}`)
  const digits = /^[ \0]*([0-7]+)[ \0]*$/.exec(field.toString('latin1'))?.[1]
  return digits === undefined ? Number.NaN : Number.parseInt(digits, 8)
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function checksumOf(header: Buffer): number {
  let total = (CHECKSUM[1] - CHECKSUM[0]) * 0x20
  for (let at = 0; at < CHECKSUM[0]; at++) total += header[at] ?? 0
  for (let at = CHECKSUM[1]; at < BLOCK_BYTES; at++) total += header[at] ?? 0
  return total
}
