import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { checkFiles, parseManifest } from './manifest.ts'
import { renderManifest } from './own-manifest.ts'

const lsns = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(Lsn.fromBytes)
const files = fc.uniqueArray(
  fc.record({
    path: fc.string({ unit: 'grapheme', minLength: 1 }).filter(path => Buffer.from(path).toString() === path),
    sizeBytes: fc.nat(),
    sha256: fc.string().map(text => createHash('sha256').update(text).digest('hex')),
  }),
  { selector: ({ path }) => path },
)

test('a manifest of our own is read as one of the server would be, and agrees with what it was made of', () => {
  fc.assert(
    fc.property(files, fc.integer({ min: 1, max: 0x7fff_ffff }), lsns, lsns, (some, timeline, startLsn, endLsn) => {
      const manifest = parseManifest(
        Buffer.from(
          renderManifest({
            files: some,
            walRange: { timeline, startLsn, endLsn },
            writtenAt: '2026-01-02 03:04:05',
          }),
        ),
      )
      expect(manifest.files).toEqual(
        some.map(({ path, sizeBytes, sha256 }) => ({ path, sizeBytes, checksum: sha256, algorithm: 'SHA256' })),
      )
      expect(manifest.walRanges.map(range => `${range.timeline} ${range.startLsn} ${range.endLsn}`)).toEqual([
        `${timeline} ${startLsn} ${endLsn}`,
      ])
      expect(checkFiles(manifest, some, new Map(some.map(({ path, sha256 }) => [path, sha256])))).toEqual([])
    }),
  )
})
