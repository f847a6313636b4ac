import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import type { Compression } from '../../archive/compression.ts'
import { truncated } from './member.ts'

const CHUNK_BYTES = 1024 * 1024

/** Bytes in their order, a chunk in memory at a time. */
export interface ByteReader {
  /** Undefined at the end. @throws {Failure} `backup-truncated` when it ends within them. */
  read(bytes: number): Promise<Buffer | undefined>
  /** The next bytes, in pieces. @throws {Failure} `backup-truncated`. */
  pieces(bytes: number): AsyncIterable<Buffer>
  /** @throws {Failure} `backup-truncated`. */
  skip(bytes: number): Promise<void>
  close(): Promise<void>
}

/** @throws what the operating system says when the file cannot be opened. */
export function readBytes(file: string, compression: Compression | undefined): ByteReader {
  return compression === undefined ? new PlainFile(file) : new Stream(file, unpacked(file, compression))
}

/** A file of which parts can be passed over without reading them. */
class PlainFile implements ByteReader {
  readonly #descriptor: number
  readonly #sizeBytes: number
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  #at = 0

  constructor(private readonly file: string) {
    this.#sizeBytes = statSync(file).size
    this.#descriptor = openSync(file, 'r')
  }

  async read(bytes: number): Promise<Buffer | undefined> {
    if (this.#at === this.#sizeBytes) return undefined
    this.#assertHolds(bytes)
    const read = Buffer.allocUnsafe(bytes)
    this.#fill(read)
    return read
  }

  async *pieces(bytes: number): AsyncIterable<Buffer> {
    this.#assertHolds(bytes)
    for (let left = bytes; left > 0; ) {
      const piece = this.#buffer.subarray(0, Math.min(left, CHUNK_BYTES))
      this.#fill(piece)
      left -= piece.length
      yield piece
    }
  }

  async skip(bytes: number): Promise<void> {
    this.#assertHolds(bytes)
    this.#at += bytes
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor)
  }

  #fill(piece: Buffer): void {
    for (let filled = 0; filled < piece.length; ) {
      const bytesRead = readSync(this.#descriptor, piece, filled, piece.length - filled, this.#at)
      if (bytesRead === 0) throw truncated(this.file, 'it became shorter while it was read')
      filled += bytesRead
      this.#at += bytesRead
    }
  }

  #assertHolds(bytes: number): void {
    if (this.#at + bytes > this.#sizeBytes) throw truncated(this.file, `it is cut off after ${this.#sizeBytes} bytes`)
  }
}

/** Of which all has to be read. */
class Stream implements ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(
    private readonly file: string,
    chunks: AsyncIterable<Buffer>,
  ) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async read(bytes: number): Promise<Buffer | undefined> {
    const pieces: Buffer[] = []
    let length = 0
    while (length < bytes) {
      const piece = await this.#next(bytes - length)
      if (!piece) break
      pieces.push(piece)
      length += piece.length
    }
    if (length === 0) return undefined
    if (length < bytes) throw this.#endsEarly()
    return Buffer.concat(pieces)
  }

  async *pieces(bytes: number): AsyncIterable<Buffer> {
    for (let left = bytes; left > 0; ) {
      const piece = await this.#next(left)
      if (!piece) throw this.#endsEarly()
      left -= piece.length
      yield piece
    }
  }

  async skip(bytes: number): Promise<void> {
    for await (const _ of this.pieces(bytes));
  }

  async close(): Promise<void> {
    await this.#chunks.return?.()
  }

  /** At most so many. */
  async #next(bytes: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next()
      if (done) return undefined
      this.#rest = value
    }
    const piece = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(piece.length)
    return piece
  }

  #endsEarly() {
    return truncated(this.file, 'what is packed in it ends before it is complete')
  }
}

async function* unpacked(file: string, compression: Compression): AsyncIterable<Buffer> {
  const stream = createReadStream(file, { highWaterMark: compression === 'gz' ? CHUNK_BYTES : ZSTANDARD_PIECE_BYTES })
  try {
    yield* compression === 'gz' ? gunzipped(stream) : unpackedZstandard(stream)
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message: string }
    // The operating system's own errors are none of the file's; those of Zstandard have a number.
    if (typeof code === 'string' && !code.startsWith('Z_')) throw cause
    throw truncated(file, `it cannot be unpacked (${message})`, { cause })
  } finally {
    stream.destroy()
  }
}

async function* gunzipped(stream: NodeJS.ReadableStream): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
  stream.on('error', error => gunzip.destroy(error))
  yield* stream.pipe(gunzip) as AsyncIterable<Buffer>
}

/** What a well packed piece unpacks to is held in memory at once. */
const ZSTANDARD_PIECE_BYTES = 64 * 1024

async function* unpackedZstandard(stream: AsyncIterable<Buffer | string>): AsyncIterable<Buffer> {
  const ready: Buffer[] = []
  // A copy: the bytes are in the window, which is written over.
  const zstandard = new Decompress(block => ready.push(Buffer.from(block)))
  for await (const chunk of stream) {
    zstandard.push(chunk as Buffer)
    yield* ready.splice(0)
  }
  zstandard.push(new Uint8Array(0), true)
  yield* ready
}
