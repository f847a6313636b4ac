// For tests: what no program that is there everywhere would write.

const BLOCK_BYTES = 128 * 1024

/** A frame of Zstandard, its blocks as they are, without a checksum. @see RFC 8878, "Zstandard Frames" */
export function packZstandard(content: Buffer): Buffer {
  // A single segment, with its size in four bytes.
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0])
  header.writeUInt32LE(content.length, 5)
  const parts: Buffer[] = [header]
  for (let at = 0; at === 0 || at < content.length; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES)
    const isLast = at + BLOCK_BYTES >= content.length
    const blockHeader = Buffer.alloc(3)
    blockHeader.writeUIntLE((block.length << 3) | Number(isLast), 0, 3)
    parts.push(blockHeader, block)
  }
  return Buffer.concat(parts)
}
