/** How many bytes a round takes: one table each, since a byte counts for more the more of them come after it. */
const ROUND_BYTES = 8

/** The first 256 entries are the usual table of the last byte of a round, the next 256 those of the byte before it, and so on. */
export function crcTables(roundBytes: number): Int32Array {
  const tables = new Int32Array(256 * roundBytes)
  for (let index = 0; index < tables.length; index++) {
    let value = index < 256 ? index : (tables[index - 256] ?? 0)
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    tables[index] = value
  }
  return tables
}

const tables = crcTables(ROUND_BYTES)

/** The cast stands for a default that would be paid for with every byte. */
function look(bytesAfter: number, byte: number): number {
  return tables[(bytesAfter << 8) | (byte & 0xff)] as number
}

/**
 * CRC-32C (Castagnoli) of `bytes` from `start` to `end`, as PostgreSQL keeps it in the control file and in WAL records. By eight
 * bytes at a time, since it decides how long reading WAL takes.
 * @param before the checksum of what comes before, to go on from.
 * @see PostgreSQL source, `src/port/pg_crc32c_sb8.c`
 */
export function crc32c(bytes: Uint8Array, before = 0, start = 0, end = bytes.length): number {
  let crc = ~before
  let at = start
  for (; at + ROUND_BYTES <= end; at += ROUND_BYTES) {
    crc =
      look(7, crc ^ (bytes[at] as number)) ^
      look(6, (crc >>> 8) ^ (bytes[at + 1] as number)) ^
      look(5, (crc >>> 16) ^ (bytes[at + 2] as number)) ^
      look(4, (crc >>> 24) ^ (bytes[at + 3] as number)) ^
      look(3, bytes[at + 4] as number) ^
      look(2, bytes[at + 5] as number) ^
      look(1, bytes[at + 6] as number) ^
      look(0, bytes[at + 7] as number)
  }
  for (; at < end; at++) crc = look(0, crc ^ (bytes[at] as number)) ^ (crc >>> 8)
  return ~crc >>> 0
}
