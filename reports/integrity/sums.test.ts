import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSums, parseSums } from './sums.ts'

/** Whatever a file system allows in a name, but for the names that mean a folder. */
const part = fc
  .array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 8 })
  .map(bytes => Buffer.from(bytes).toString('latin1').replaceAll('/', '\\'))
  .filter(name => name !== '.' && name !== '..')
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'))
const sums = fc.array(fc.tuple(path, hash), { maxLength: 8 }).map(entries => new Map(entries))

describe('SHA256SUMS', () => {
  it('is read as it was written, whatever the names', () => {
    fc.assert(
      fc.property(sums, one => {
        const read = parseSums(formatSums(one))
        expect(new Map(read)).toEqual(one)
        expect([...read.keys()]).toEqual([...one.keys()].sort((a, b) => (a < b ? -1 : 1)))
      }),
    )
  })

  it('has one text for a set of files', () => {
    fc.assert(
      fc.property(sums, one => {
        expect(formatSums(new Map([...one].reverse()))).toEqual(formatSums(one))
      }),
    )
  })

  it('is not read where a byte is missing or was added', () => {
    const filled = sums.filter(({ size }) => size > 0)
    fc.assert(
      fc.property(filled, fc.nat(), (one, at) => {
        const text = formatSums(one)
        const cut = text.subarray(0, at % text.length)
        expect(cut.length === 0 || cut.at(-1) === 0x0a || refused(cut)).toBe(true)
        expect(refused(Buffer.concat([text, Buffer.from('\n')]))).toBe(true)
      }),
    )
  })

  const zeros = '0'.repeat(64)
  it.each([
    ['another hash', `${'0'.repeat(63)}  a\n`, 'line 1 of SHA256SUMS is not a SHA-256 and a name'],
    ['letters in capitals', `${'A'.repeat(64)}  a\n`, 'is not a SHA-256 and a name'],
    ['the mark of binary files', `${zeros} *a\n`, 'is not a SHA-256 and a name'],
    ['an escape that is none', `\\${zeros}  a\\x\n`, 'is not a SHA-256 and a name'],
    ['an escape that is not needed', `\\${zeros}  a\n`, 'is not a SHA-256 and a name'],
    ['a line break of Windows', `${zeros}  a\r\n`, 'is not a SHA-256 and a name'],
    ['an empty line', `${zeros}  a\n\n`, 'line 2 of SHA256SUMS is not a SHA-256 and a name'],
    ['no line break at its end', `${zeros}  a`, 'is cut off'],
    ['a path from the root', `${zeros}  /a\n`, 'is no path within a bundle'],
    ['a path out of the bundle', `${zeros}  a/../../b\n`, 'is no path within a bundle'],
    ['a path by way of its own folder', `${zeros}  ./a\n`, 'is no path within a bundle'],
    ['a path with an empty part', `${zeros}  a//b\n`, 'is no path within a bundle'],
    ['a folder', `${zeros}  a/\n`, 'is no path within a bundle'],
    ['a name that ends early', `${zeros}  a\0b\n`, 'is no path within a bundle'],
    ['the envelope', `${zeros}  attestation.dsse.json\n`, 'which is never in it'],
  ])('is refused with %s', (_, text, sentence) => {
    expect(() => parseSums(Buffer.from(text))).toThrow(
      expect.objectContaining({ name: 'Refusal', message: expect.stringContaining(sentence) }),
    )
  })
})

function refused(text: Buffer): boolean {
  try {
    parseSums(text)
    return false
  } catch {
    return true
  }
}
