import { promisify } from 'node:util'
import { constants, gunzip } from 'node:zlib'
import * as zstd from 'fzstd'
import { PAGE_BYTES } from '../postgres/wal-page.ts'

/** How a file in a WAL archive was compressed, by what its name ends with. */
export type Compression = 'gz' | 'zst'

/** Splits a file's name in two: what PostgreSQL calls it, and what the archive_command has made of it. */
export function splitCompression(name: string): { name: string; compression?: Compression } {
  const [, plain, compression] = /^(.+)\.(gz|zst)$/s.exec(name) ?? []
  return plain === undefined ? { name } : { name: plain, compression: compression as Compression }
}

/** The content of a compressed file; none for one that is cut off or damaged. Of Zstandard the checksum of the content is not compared. */
export async function decompress(bytes: Buffer, compression: Compression): Promise<Buffer | undefined> {
  if (compression === 'gz') return promisify(gunzip)(bytes).catch(() => undefined)
  // Without the last bytes, those of the checksum, zstd gives nothing back.
  return hasWholeFrames(bytes) ? unpacked(() => zstd.decompress(bytes)) : undefined
}

/** A block of Zstandard at its largest, which can only be unpacked whole, and the headers before it. */
const ZSTANDARD_BLOCK_BYTES = 128 * 1024 + 32

/** How much of a file there must be for its beginning to be unpacked. */
export const BEGINNING_BYTES: Record<Compression, number> = { gz: PAGE_BYTES, zst: ZSTANDARD_BLOCK_BYTES }

/** What the beginning of a compressed file unpacks to: as far as it goes; none where it is not in that format. */
export async function decompressBeginning(bytes: Buffer, compression: Compression): Promise<Buffer | undefined> {
  if (compression === 'gz')
    return promisify(gunzip)(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).catch(() => undefined)
  return unpacked(() => {
    const blocks: Uint8Array[] = []
    new zstd.Decompress(block => blocks.push(block)).push(bytes)
    return Buffer.concat(blocks)
  })
}

function unpacked(unpack: () => Uint8Array): Buffer | undefined {
  try {
    const { buffer, byteOffset, byteLength } = unpack()
    return Buffer.from(buffer, byteOffset, byteLength)
  } catch {
    return undefined
  }
}

/**
 * Whether a compressed segment was stored to its end. Of gzip the content is unpacked, so that its size and checksum are
 * known to be right; of Zstandard, which takes longer, it is seen that every frame has its last block.
 */
export async function isWhole(bytes: Buffer, compression: Compression, segmentSizeBytes: number): Promise<boolean> {
  if (compression === 'zst') return hasWholeFrames(bytes)
  try {
    const content = await promisify(gunzip)(bytes, { maxOutputLength: segmentSizeBytes })
    return content.length === segmentSizeBytes
  } catch {
    // Cut off, damaged, or more than a segment.
    return false
  }
}

const MAGIC = 0xfd2fb528
/** Frames with anything in them but content: sixteen magic numbers, which differ in their last digit. */
const SKIPPABLE_MAGIC = 0x184d2a50
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]
const RLE_BLOCK = 1

/** @see RFC 8878, "Zstandard Frames" */
function hasWholeFrames(bytes: Buffer): boolean {
  let at = 0
  while (at < bytes.length) {
    const next = endOfFrame(bytes, at)
    if (next === undefined || next > bytes.length) return false
    at = next
  }
  return at > 0
}

/** Where the frame ends that begins at `start`, which may be behind the end; undefined where that cannot be told. */
function endOfFrame(bytes: Buffer, start: number): number | undefined {
  if (start + 8 > bytes.length) return undefined
  const magic = bytes.readUInt32LE(start)
  if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) return start + 8 + bytes.readUInt32LE(start + 4)
  if (magic !== MAGIC) return undefined
  const descriptor = bytes.readUInt8(start + 4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSize = descriptor >> 6
  let at =
    start +
    5 +
    (isSingleSegment ? 0 : 1) +
    (DICTIONARY_BYTES[descriptor & 3] ?? 0) +
    (contentSize === 0 && isSingleSegment ? 1 : (CONTENT_SIZE_BYTES[contentSize] ?? 0))
  for (;;) {
    if (at + 3 > bytes.length) return undefined
    const header = bytes.readUIntLE(at, 3)
    at += 3 + (((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3)
    if ((header & 1) !== 0) return at + ((descriptor & 4) !== 0 ? 4 : 0)
  }
}
