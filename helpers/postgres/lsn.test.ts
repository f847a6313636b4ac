import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'

const MAX = (1n << 64n) - 1n
const bytes = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX }),
  // Around the boundary of the two halves, where carrying goes wrong.
  fc.bigInt({ min: -3n, max: 3n }).map(offset => (1n << 32n) + offset),
  fc.constantFrom(0n, 1n, MAX, MAX - 1n, 0xffff_ffffn),
)

describe('the text of an LSN', () => {
  test.each([
    ['0/0', 0n],
    ['0/3000060', 0x3000060n],
    ['0/FFFFFFFF', 0xffff_ffffn],
    ['1/0', 1n << 32n],
    ['16/B374D848', 0x16_b374_d848n],
    ['FFFFFFFF/FFFFFFFF', MAX],
  ])('%s is that many bytes, and is printed so', (text, value) => {
    expect(Lsn.parse(text).bytes).toBe(value)
    expect(String(Lsn.parse(text))).toBe(text)
    expect(JSON.stringify({ lsn: Lsn.parse(text) })).toBe(`{"lsn":"${text}"}`)
  })

  test('may be lower-case and padded, as some programs print it', () => {
    expect(String(Lsn.parse('0000000a/0300abcd'))).toBe('A/300ABCD')
  })

  test.each([
    '',
    '0',
    '/',
    '0/',
    '/0',
    '0/0/0',
    '0/G',
    '0x0/0',
    ' 0/0',
    '0/0\n',
    '-1/0',
    '0/123456789',
    '123456789/0',
    '0\\0',
  ])("'%s' is none", text => {
    expect(() => Lsn.parse(text)).toThrow(RangeError)
  })

  test('is read back as the same position', () => {
    fc.assert(
      fc.property(bytes, value => {
        expect(Lsn.parse(String(Lsn.fromBytes(value))).bytes).toBe(value)
      }),
    )
  })
})

describe('arithmetic on LSNs', () => {
  test('differences and sums agree with plain bytes', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const [from, to] = [Lsn.fromBytes(a), Lsn.fromBytes(b)]
        expect(to.minus(from)).toBe(b - a)
        expect(from.plus(b - a).equals(to)).toBe(true)
      }),
    )
  })

  test('order agrees with plain bytes, in every way it can be asked for', () => {
    fc.assert(
      fc.property(bytes, fc.oneof(bytes, fc.constant(undefined)), (a, other) => {
        const b = other ?? a
        const [left, right] = [Lsn.fromBytes(a), Lsn.fromBytes(b)]
        expect(left.isBefore(right)).toBe(a < b)
        expect(left.isAtOrBefore(right)).toBe(a <= b)
        expect(left.equals(right)).toBe(a === b)
        expect(Math.sign(Lsn.compare(left, right))).toBe(Number(a > b) - Number(a < b))
      }),
    )
  })

  test('does not leave 64 bits', () => {
    expect(() => Lsn.zero.plus(-1n)).toThrow(RangeError)
    expect(() => Lsn.fromBytes(MAX).plus(1n)).toThrow(RangeError)
    expect(() => Lsn.fromBytes(-1n)).toThrow(RangeError)
    expect(Lsn.fromBytes(MAX).minus(Lsn.zero)).toBe(MAX)
  })
})
