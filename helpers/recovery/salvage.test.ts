import { expect, test } from 'vitest'
import { WalSegment } from '../postgres/wal-segment.ts'
import { writtenSegments } from './salvage.ts'

const segmentSizeBytes = 2 ** 24
const cluster = { systemIdentifier: '42', segmentSizeBytes }
const segment = (number: number) => new WalSegment(1, BigInt(number), segmentSizeBytes)

/** The first bytes of a segment that holds the WAL of `number`, in hexadecimal. */
function header(number: number, systemIdentifier = 42n): string {
  const bytes = Buffer.alloc(40)
  bytes.writeUInt16LE(0xd118, 0)
  bytes.writeUInt16LE(0x0002, 2)
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(segment(number).start.bytes, 8)
  bytes.writeBigUInt64LE(systemIdentifier, 24)
  bytes.writeUInt32LE(segmentSizeBytes, 32)
  return bytes.toString('hex')
}

test('segments that hold the WAL their names say are told from recycled ones, empty ones and those of another cluster', () => {
  const listing = [
    `${segment(4)} ${header(4)}`,
    `${segment(3)} ${header(3)}`,
    `${segment(5)} ${header(2)}`,
    `${segment(6)} ${'00'.repeat(40)}`,
    `${segment(7)} `,
    `${segment(8)} ${header(8, 43n)}`,
    '???????????????????????? ',
    'archive_status-directory ',
  ].join('\n')
  expect(writtenSegments(listing, cluster).map(String)).toEqual([String(segment(3)), String(segment(4))])
})
