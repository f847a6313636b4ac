import { crc32c } from './crc32c.ts'

/** As PostgreSQL lays it out, of a cluster that was initialised with other than the defaults. */
export function controlFileModel({ version = 1300, checksumAt = 288, state = 6 } = {}): Buffer {
  const bytes = Buffer.alloc(8192)
  bytes.writeBigUInt64LE(7_654_321_098_765_432_109n, 0)
  bytes.writeUInt32LE(version, 8)
  bytes.writeUInt32LE(202_209_061, 12)
  bytes.writeUInt32LE(state, 16)
  for (const [index, limit] of [300, 12, 7, 5, 128].entries()) bytes.writeInt32LE(limit, 180 + index * 4)
  bytes.writeUInt32LE(64 * 1024 * 1024, 228)
  bytes.writeUInt32LE(1, 252)
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, checksumAt)), checksumAt)
  return bytes
}
