import { BLOCK_BYTES } from './tar-members.ts'

/** What a header holds of a name. */
const NAME_BYTES = 100
/** What eleven octal digits hold of a size. */
const OCTAL_LIMIT = 8 ** 11

export const TAR_END = Buffer.alloc(2 * BLOCK_BYTES)

/**
 * The header of a file or folder, as every tar reads it: ustar, a name that is too long before it in GNU's way. Only the user
 * who unpacks it may read what it heads, whoever could in the original.
 */
export function tarHeader(path: string, kind: 'file' | 'folder', sizeBytes: number): Buffer {
  const name = Buffer.from(kind === 'folder' ? `${path}/` : path)
  const header = block(name, kind === 'folder' ? '5' : '0', kind === 'folder' ? 0o700 : 0o600, sizeBytes)
  if (name.length <= NAME_BYTES) return header
  const long = Buffer.concat([name, Buffer.alloc(1)])
  return Buffer.concat([
    block(Buffer.from('././@LongLink'), 'L', 0, long.length),
    long,
    tarPadding(long.length),
    header,
  ])
}

/** What follows a content of that size. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

function block(name: Buffer, type: string, mode: number, sizeBytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES)
  name.copy(header, 0, 0, NAME_BYTES)
  header.write(octal(mode, 7), 100, 'latin1')
  header.write(octal(0, 7), 108, 'latin1')
  header.write(octal(0, 7), 116, 'latin1')
  if (sizeBytes < OCTAL_LIMIT) header.write(octal(sizeBytes, 11), 124, 'latin1')
  else {
    header.writeUInt8(0x80, 124)
    header.writeBigUInt64BE(BigInt(sizeBytes), 128)
  }
  header.write(octal(0, 11), 136, 'latin1')
  header.write('        ', 148, 'latin1')
  header.write(type, 156, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return header
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}
