import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChecksumMemory } from './checksum-memory.ts'
import { crc32c } from './crc32c.ts'

// RFC 3720, appendix B.4
test.each([
  ['32 bytes of zeroes', Buffer.alloc(32), 0x8a9136aa],
  ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 bytes counting up', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['nothing', Buffer.alloc(0), 0],
])('the checksum of %s is the one of RFC 3720', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

/** The definition, a bit at a time. */
function slowCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}

test('is the same by the definition, of a part, and put together from parts', () => {
  const positions = fc.tuple(fc.nat(80), fc.nat(80), fc.nat(80)).map(three => three.sort((a, b) => a - b))
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 80, maxLength: 80 }),
      positions,
      (bytes, [start = 0, middle = 0, end = 0]) => {
        const whole = slowCrc32c(bytes.subarray(start, end))
        expect(crc32c(bytes.subarray(start, end))).toBe(whole)
        expect(crc32c(bytes, 0, start, end)).toBe(whole)
        expect(crc32c(bytes, crc32c(bytes, 0, start, middle), middle, end)).toBe(whole)
      },
    ),
  )
})

test('is the same in WebAssembly, over the whole of a memory and of each part of it', () => {
  const memory = new ChecksumMemory(200)
  const part = fc.tuple(fc.nat(200), fc.nat(200), fc.nat(200)).map(three => three.sort((a, b) => a - b))
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 200, maxLength: 200 }), part, (bytes, [start = 0, middle = 0, end = 0]) => {
      memory.bytes.set(bytes)
      const whole = slowCrc32c(bytes.subarray(start, end))
      expect(memory.crc32c(start, end)).toBe(whole)
      expect(memory.crc32c(middle, end, memory.crc32c(start, middle))).toBe(whole)
    }),
  )
})

test.each([
  [-1, 1],
  [0, 201],
])('is not taken of what lies outside of the memory: %i to %i', (start, end) => {
  expect(() => new ChecksumMemory(200).crc32c(start, end)).toThrow(RangeError)
})
