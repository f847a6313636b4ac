import { Failure } from '../failure.ts'

const BLOCK_BYTES = 512

/** Where a header's fields stand. @see POSIX, pax, "ustar Interchange Format" */
const NAME = [0, 100] as const
const SIZE = [124, 136] as const
const CHECKSUM = [148, 156] as const
const TYPE_AT = 156
const MAGIC = [257, 265] as const
const PREFIX = [345, 500] as const

const TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a pipe',
}

/**
 * Looks through a tar as it passes by, header after header, and refuses whatever could reach beyond the folder that it
 * will be unpacked into. Lets pass exactly what BASE_BACKUP with TABLESPACE_MAP sends: files and directories in plain
 * ustar headers (PostgreSQL refuses longer names itself), so that no two readers of the tar can see two things in it.
 * @see PostgreSQL source, `src/port/tar.c` (`tarCreateHeader`)
 */
export class TarGuard {
  readonly #header = Buffer.alloc(BLOCK_BYTES)
  /** Bytes of a header that began in an earlier chunk. */
  #headerBytes = 0
  /** Bytes of a member's content, with its padding, still to pass. */
  #contentBytes = 0
  /** The end of the archive: from the first block of zeros on. */
  #isAtEnd = false

  /**
   * To be called with every chunk before it is handed on.
   * @throws {Failure} `backup-unsafe`; then neither this chunk nor any after it may be handed on.
   */
  check(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#contentBytes > 0) {
        const passing = Math.min(this.#contentBytes, chunk.length - at)
        this.#contentBytes -= passing
        at += passing
      } else {
        const copied = chunk.copy(this.#header, this.#headerBytes, at)
        this.#headerBytes += copied
        at += copied
        if (this.#headerBytes === BLOCK_BYTES) {
          this.#headerBytes = 0
          this.#checkHeader()
        }
      }
    }
  }

  /** @throws {Failure} `backup-interrupted` when the tar is not complete. */
  end(): void {
    if (!this.#isAtEnd || this.#contentBytes > 0 || this.#headerBytes > 0) {
      throw new Failure('backup-interrupted', 'the server ended a tar of the base backup before it was complete')
    }
  }

  #checkHeader(): void {
    const header = this.#header
    if (header.every(byte => byte === 0)) {
      this.#isAtEnd = true
      return
    }
    if (this.#isAtEnd) throw unsafe('it goes on after its end')
    if (
      header.toString('latin1', ...MAGIC) !== 'ustar\x0000' ||
      readNumber(header.subarray(...CHECKSUM)) !== sum(header)
    )
      throw unsafe('it has a header that is not one of ustar')
    const name = readName(header)
    const type = String.fromCharCode(header[TYPE_AT] ?? 0)
    if (type !== '0' && type !== '5')
      throw unsafe(
        `'${name}' is ${TYPES[type] ?? `of the unknown type ${JSON.stringify(type)}`}, and only files and directories may be`,
        name,
      )
    if (name.startsWith('/') || name.split('/').includes('..'))
      throw unsafe(`'${name}' would leave the folder it is unpacked into`, name)
    const sizeBytes = readNumber(header.subarray(...SIZE))
    if (!Number.isSafeInteger(sizeBytes)) throw unsafe(`the size of '${name}' cannot be read`, name)
    // Some readers take such a member for a directory and its content for further headers.
    if (type === '5' ? sizeBytes !== 0 : name.endsWith('/') || name === '')
      throw unsafe(`'${name}' is both a file and a directory`, name)
    this.#contentBytes = Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
}

function readName(header: Buffer): string {
  const field = header.subarray(...NAME)
  const end = field.indexOf(0)
  const name = field.toString('utf8', 0, end < 0 ? field.length : end)
  if (end >= 0 && field.subarray(end).some(byte => byte !== 0))
    throw unsafe(`the name '${name}' goes on after its end`, name)
  if (header.subarray(...PREFIX).some(byte => byte !== 0))
    throw unsafe(`the name '${name}' has a prefix, which PostgreSQL does not write`, name)
  return name
}

/** Octal digits and what ends them, or, for eight gibibytes and more, bytes after a first one of 0x80. Anything else is `NaN`. */
function readNumber(field: Buffer): number {
  if (field[0] === 0x80) return Number(`0x${field.toString('hex', 1)}`)
  const digits = /^([0-7]+)[ \0]+$/.exec(field.toString('latin1'))?.[1]
  return digits === undefined ? Number.NaN : Number.parseInt(digits, 8)
}

/** The sum of all bytes, those of the checksum itself taken as spaces. */
function sum(header: Buffer): number {
  let total = (CHECKSUM[1] - CHECKSUM[0]) * 0x20
  for (let at = 0; at < CHECKSUM[0]; at++) total += header[at] ?? 0
  for (let at = CHECKSUM[1]; at < BLOCK_BYTES; at++) total += header[at] ?? 0
  return total
}

function unsafe(why: string, member?: string): Failure {
  return new Failure(
    'backup-unsafe',
    `a tar of the base backup was refused before it was unpacked: ${why}`,
    member === undefined ? {} : { member },
  )
}
