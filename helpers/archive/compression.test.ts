import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BEGINNING_BYTES, decompress, decompressBeginning, isWhole, splitCompression } from './compression.ts'
import { packZstandard } from './zstandard-model.ts'

const SIZE = 64 * 1024
/** A page of noise in a segment of zeros: what follows a switch is zeros, too. */
const contents = fc.uint8Array({ maxLength: 8192 }).map(noise => {
  const content = Buffer.alloc(SIZE)
  content.set(noise)
  return content
})

describe('the name of a file in an archive', () => {
  it.each([
    ['000000010000000000000001', { name: '000000010000000000000001' }],
    ['000000010000000000000001.gz', { name: '000000010000000000000001', compression: 'gz' }],
    ['00000002.history.zst', { name: '00000002.history', compression: 'zst' }],
    ['a.gz.zst', { name: 'a.gz', compression: 'zst' }],
    ['.gz', { name: '.gz' }],
    ['a.gz.tmp', { name: 'a.gz.tmp' }],
  ])('%s is split', (name, parts) => {
    expect(splitCompression(name)).toEqual(parts)
  })
})

describe('a segment compressed with gzip', () => {
  it('is whole only to its last byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (content, part) => {
          const bytes = gzipSync(content)
          expect(await isWhole(bytes, 'gz', SIZE)).toBe(true)
          expect(await isWhole(bytes.subarray(0, Math.floor(bytes.length * part)), 'gz', SIZE)).toBe(false)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('of another size than a segment is not whole', async () => {
    expect(await isWhole(gzipSync(Buffer.alloc(SIZE - 1)), 'gz', SIZE)).toBe(false)
    expect(await isWhole(gzipSync(Buffer.alloc(SIZE + 1)), 'gz', SIZE)).toBe(false)
  })
})

interface Frame {
  isSingleSegment: boolean
  hasChecksum: boolean
  contentSize: number
  dictionary: number
  blocks: { type: number; bytes: number }[]
}

const frames: fc.Arbitrary<Frame> = fc.record({
  isSingleSegment: fc.boolean(),
  hasChecksum: fc.boolean(),
  contentSize: fc.nat(3),
  dictionary: fc.nat(3),
  blocks: fc.array(fc.record({ type: fc.nat(2), bytes: fc.nat(300) }), { minLength: 1, maxLength: 4 }),
})

/** Written from RFC 8878; the content is of no meaning. */
function encode({ isSingleSegment, hasChecksum, contentSize, dictionary, blocks }: Frame): Buffer {
  const sizeBytes = contentSize === 0 ? (isSingleSegment ? 1 : 0) : 2 ** contentSize
  const dictionaryBytes = dictionary === 3 ? 4 : dictionary
  const descriptor = (contentSize << 6) | (isSingleSegment ? 0x20 : 0) | (hasChecksum ? 4 : 0) | dictionary
  return Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor]),
    Buffer.alloc((isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes),
    ...blocks.flatMap(({ type, bytes }, index) => {
      const header = Buffer.alloc(3)
      header.writeUIntLE((bytes << 3) | (type << 1) | (index === blocks.length - 1 ? 1 : 0), 0, 3)
      return [header, Buffer.alloc(type === 1 ? 1 : bytes, 0xff)]
    }),
    Buffer.alloc(hasChecksum ? 4 : 0),
  ])
}

describe('a segment compressed with Zstandard', () => {
  it('is whole when every frame is, and not when a byte of the last one is missing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { minLength: 1, maxLength: 3 }), fc.nat(), async (some, cut) => {
        const encoded = some.map(encode)
        const bytes = Buffer.concat(encoded)
        const last = encoded.at(-1)?.length ?? 0
        expect(await isWhole(bytes, 'zst', SIZE)).toBe(true)
        expect(await isWhole(bytes.subarray(0, bytes.length - 1 - (cut % (last - 1))), 'zst', SIZE)).toBe(false)
      }),
    )
  })

  it('may have frames that are to be skipped, and no bytes that are no frame', async () => {
    const frame = encode({
      isSingleSegment: true,
      hasChecksum: true,
      contentSize: 0,
      dictionary: 0,
      blocks: [{ type: 0, bytes: 9 }],
    })
    const skipped = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4])
    expect(await isWhole(Buffer.concat([skipped, frame, skipped]), 'zst', SIZE)).toBe(true)
    expect(await isWhole(Buffer.concat([frame, Buffer.alloc(16)]), 'zst', SIZE)).toBe(false)
    expect(await isWhole(skipped.subarray(0, -1), 'zst', SIZE)).toBe(false)
    expect(await isWhole(Buffer.alloc(0), 'zst', SIZE)).toBe(false)
  })
})

describe('what is compressed with Zstandard', () => {
  it('is unpacked, from its beginning too, and not when it is cut off', async () => {
    await fc.assert(
      fc.asyncProperty(contents, fc.nat(), async (content, cut) => {
        const bytes = packZstandard(content)
        expect(await decompress(bytes, 'zst')).toEqual(content)
        expect(await decompress(bytes.subarray(0, cut % bytes.length), 'zst')).toBeUndefined()
        const beginning = await decompressBeginning(bytes.subarray(0, BEGINNING_BYTES.zst), 'zst')
        expect(beginning).toEqual(content)
      }),
      { numRuns: 30 },
    )
  })

  it('is told from what is not', async () => {
    expect(await decompress(Buffer.alloc(100, 1), 'zst')).toBeUndefined()
    expect(await decompressBeginning(Buffer.alloc(100, 1), 'zst')).toBeUndefined()
  })
})
