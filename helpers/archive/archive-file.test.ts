import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WalSegment } from '../postgres/wal-segment.ts'
import { classifyArchiveFile } from './archive-file.ts'

const MIB = 1024 * 1024
const segmentSizes = fc.integer({ min: 0, max: 10 }).map(exponent => MIB * 2 ** exponent)
const segments = segmentSizes.chain(sizeBytes =>
  fc
    .record({
      timeline: fc.integer({ min: 1, max: 0xffff_ffff }),
      number: fc.bigInt(0n, (1n << 64n) / BigInt(sizeBytes) - 1n),
    })
    .map(({ timeline, number }) => new WalSegment(timeline, number, sizeBytes)),
)

describe('a name in a WAL archive', () => {
  it('of a segment, of any size and timeline, is read back as that segment', () => {
    fc.assert(
      fc.property(segments, segment => {
        expect(classifyArchiveFile(segment.name, segment.sizeBytes)).toEqual({ kind: 'segment', segment })
        expect(classifyArchiveFile(`${segment.name}.partial`, segment.sizeBytes)).toEqual({ kind: 'partial', segment })
      }),
    )
  })

  it('that is compressed is what it is without the ending, and says how', () => {
    const names = fc.oneof(
      segments.map(({ name }) => name),
      segments.map(({ name }) => `${name}.partial`),
      fc.constantFrom('0000000A.history', '000000020000000100000007.00000028.backup', 'README', '00000001.history'),
    )
    fc.assert(
      fc.property(names, segmentSizes, fc.constantFrom('gz', 'zst'), (name, sizeBytes, compression) => {
        const plain = classifyArchiveFile(name, sizeBytes)
        expect(classifyArchiveFile(`${name}.${compression}`, sizeBytes)).toEqual(
          plain.kind === 'foreign' ? plain : { ...plain, compression },
        )
      }),
    )
  })

  it('is a segment exactly when it can be parsed as one', () => {
    const nearly = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789ABCDEFabcdefg.'), minLength: 20, maxLength: 26 }),
      segments.map(({ name }) => name),
    )
    fc.assert(
      fc.property(nearly, segmentSizes, (name, sizeBytes) => {
        const parse = () => WalSegment.parse(name, sizeBytes)
        if (classifyArchiveFile(name, sizeBytes).kind === 'segment') expect(parse().name).toBe(name)
        else expect(parse).toThrow(RangeError)
      }),
    )
  })

  it('of a base backup says where the backup starts', () => {
    const file = classifyArchiveFile('000000020000000100000007.00000028.backup', 16 * MIB)
    expect(file).toMatchObject({ kind: 'backup' })
    expect(file.kind === 'backup' && String(file.startLsn)).toBe('1/7000028')
  })

  it('of a history says of which timeline', () => {
    expect(classifyArchiveFile('0000000A.history', 16 * MIB)).toEqual({ kind: 'history', timeline: 10 })
  })

  it.each([
    ['with lower-case digits', '00000001000000000000000a'],
    ['with 23 digits', '00000001000000000000001'],
    ['with 25 digits', '0000000100000000000000010'],
    ['of a segment number beyond what the size allows', '000000010000000000000100'],
    ['of timeline 0', '000000000000000000000001'],
    ['compressed in a way that is not known', '000000010000000000000001.xz'],
    ['compressed twice', '000000010000000000000001.gz.zst'],
    ['still being compressed', '.000000010000000000000001.gz'],
    ['still being copied', '.000000010000000000000001'],
    ['in a folder', 'old/000000010000000000000001'],
    ['with a line break behind it', '000000010000000000000001\n'],
    ['of a backup that starts beyond its segment', '000000010000000000000001.01000000.backup'],
    ['of a backup with a short offset', '000000010000000000000001.28.backup'],
    ['of a partial backup', '000000010000000000000001.00000028.backup.partial'],
    ['of the history of the first timeline, which has none', '00000001.history'],
    ['of a history with lower-case digits', '0000000a.history'],
    ['empty', ''],
  ])('%s is foreign', (_, name) => {
    expect(classifyArchiveFile(name, 16 * MIB)).toEqual({ kind: 'foreign' })
  })
})
