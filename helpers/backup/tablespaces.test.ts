import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Volume } from '../runtime/volume.ts'
import { moveTablespaces, parseTablespaceMap, renderTablespaceMap } from './tablespaces.ts'

const oid = fc.integer({ min: 1, max: 2 ** 32 - 1 }).map(String)
const location = fc
  .array(
    fc.oneof(
      { weight: 1, arbitrary: fc.constantFrom('\\', '\n', '\r', '\r\n', ' ', '/', '\\\n') },
      { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
    ),
  )
  .map(parts => `/${parts.join('').replaceAll('\0', '')}`)

/** As `read_tablespace_map` in PostgreSQL's `xlogrecovery.c` reads it, byte after byte. */
function readAsPostgresDoes(bytes: Buffer): { oid: string; location: string }[] {
  const found: { oid: string; location: string }[] = []
  let line: number[] = []
  let wasBackslash = false
  for (const byte of bytes) {
    if (!wasBackslash && (byte === 10 || byte === 13)) {
      if (line.length === 0) continue
      const space = line.indexOf(32)
      if (space < 1 || space >= line.length - 1) throw new Error('invalid data')
      found.push({
        oid: Buffer.from(line.slice(0, space)).toString(),
        location: Buffer.from(line.slice(space + 1)).toString(),
      })
      line = []
    } else if (!wasBackslash && byte === 92) wasBackslash = true
    else {
      line.push(byte)
      wasBackslash = false
    }
  }
  if (line.length > 0 || wasBackslash) throw new Error('invalid data')
  return found
}

describe('tablespace_map', () => {
  test('comes back as it was written, for us and for PostgreSQL', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ oid, location })), tablespaces => {
        const text = renderTablespaceMap(tablespaces)
        expect(parseTablespaceMap(text)).toEqual(tablespaces)
        expect(readAsPostgresDoes(Buffer.from(text))).toEqual(tablespaces)
      }),
    )
  })

  test('is read, or refused, as PostgreSQL would', () => {
    const piece = fc.constantFrom('16384', ' ', '/a', '\\', '\n', '\r', 'x y')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const text = pieces.join('')
        const expected = attempt(() => readAsPostgresDoes(Buffer.from(text)))
        // PostgreSQL up to 16 takes any word for an oid.
        fc.pre(!expected?.some(tablespace => !/^\d+$/.test(tablespace.oid)))
        expect(attempt(() => parseTablespaceMap(text))).toEqual(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('of a backup without tablespaces is empty', () => {
    expect(parseTablespaceMap('')).toEqual([])
  })

  test('is not written with a location that is not an absolute path', () => {
    expect(() => renderTablespaceMap([{ oid: '16384', location: 'relative' }])).toThrow(RangeError)
  })

  test('is not written with an oid that is none', () => {
    expect(() => renderTablespaceMap([{ oid: '16384 /x\n1', location: '/a' }])).toThrow(RangeError)
  })
})

describe('moving tablespaces', () => {
  const volume = { path: '/mnt/tablespaces' } as Volume

  test('gives each its new place', () => {
    expect(
      moveTablespaces('16384 /old/fast\n16385 /old/slow\n', [
        { oid: '16385', volume, folder: 'slow' },
        { oid: '16384', volume, folder: 'fast' },
      ]),
    ).toBe('16384 /mnt/tablespaces/fast\n16385 /mnt/tablespaces/slow\n')
  })

  test('never leaves one where the lost server had it', () => {
    expect(() =>
      moveTablespaces('16384 /old/fast\n16385 /old/slow\n', [{ oid: '16384', volume, folder: 'fast' }]),
    ).toThrow(
      expect.objectContaining({ kind: 'tablespace-not-restored', evidence: { oid: '16385', location: '/old/slow' } }),
    )
  })
})

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}
