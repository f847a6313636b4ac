import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Volume } from '../runtime/volume.ts'
import type { BaseBackup } from './base-backup.ts'
import { checkFiles, type ManifestProblem, parseManifest, verifyBaseBackup } from './manifest.ts'

const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex')

/** As the server writes one. */
function render(files: object[], { version = 1, systemIdentifier = '' } = {}): Buffer {
  const body = `{ "PostgreSQL-Backup-Manifest-Version": ${version},
${systemIdentifier && `"System-Identifier": ${systemIdentifier},\n`}"Files": [
${files.map(file => JSON.stringify(file)).join(',\n')}
],
"WAL-Ranges": [
{ "Timeline": 3, "Start-LSN": "0/2000028", "End-LSN": "A/3000100" }
],
`
  return Buffer.from(`${body}"Manifest-Checksum": "${sha256(body)}"}\n`)
}

const entry = (path: string, content: string) => ({
  Path: path,
  Size: Buffer.byteLength(content),
  'Last-Modified': '2025-01-01 00:00:00 GMT',
  'Checksum-Algorithm': 'SHA256',
  Checksum: sha256(content),
})

describe('a backup manifest', () => {
  test('of version 1 has files and WAL ranges', () => {
    const manifest = parseManifest(render([entry('PG_VERSION', '15\n')]))
    expect(manifest.version).toBe(1)
    expect(manifest.systemIdentifier).toBeUndefined()
    expect(manifest.files).toEqual([
      { path: 'PG_VERSION', sizeBytes: 3, algorithm: 'SHA256', checksum: sha256('15\n') },
    ])
    expect(manifest.walRanges.map(({ timeline, startLsn, endLsn }) => `${timeline} ${startLsn} ${endLsn}`)).toEqual([
      '3 0/2000028 A/3000100',
    ])
  })

  test('of version 2 has every digit of the system identifier', () => {
    expect(parseManifest(render([], { version: 2, systemIdentifier: '7671867332315642489' })).systemIdentifier).toBe(
      '7671867332315642489',
    )
  })

  test('may have a path in hexadecimal, and a file without checksum', () => {
    const file = {
      'Encoded-Path': Buffer.from('base/näme').toString('hex').toUpperCase(),
      Size: 1,
      'Last-Modified': '',
    }
    expect(parseManifest(render([file])).files).toEqual([{ path: 'base/näme', sizeBytes: 1, algorithm: 'NONE' }])
  })

  test('of which any byte was changed is refused', () => {
    const bytes = render([entry('PG_VERSION', '17\n'), entry('base/1/1259', 'rows')], {
      version: 2,
      systemIdentifier: '7',
    })
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << bit)
        // The checksum is the same number in capitals.
        fc.pre(changed.toString().toLowerCase() !== bytes.toString().toLowerCase() || at < bytes.lastIndexOf('\n', -2))
        expect(() => parseManifest(changed)).toThrow(expect.objectContaining({ kind: 'manifest-damaged' }))
      }),
    )
  })

  test('that was cut short anywhere is refused', () => {
    const bytes = render([entry('PG_VERSION', '17\n')])
    for (let length = 0; length < bytes.length; length++) {
      expect(() => parseManifest(bytes.subarray(0, length))).toThrow(
        expect.objectContaining({ kind: 'manifest-damaged' }),
      )
    }
  })

  test.each<[string, Buffer]>([
    ['a version of the future', render([], { version: 3 })],
    ['a file twice', render([entry('a', ''), entry('a', '')])],
    ['a file without path', render([{ Size: 1, 'Last-Modified': '' }])],
    ['a file with two paths', render([{ ...entry('a', ''), 'Encoded-Path': '61' }])],
    ['a negative size', render([{ ...entry('a', ''), Size: -1 }])],
    ['a checksum of an unknown kind', render([{ ...entry('a', ''), 'Checksum-Algorithm': 'MD5' }])],
    ['a field that nobody knows', render([{ ...entry('a', ''), Owner: 'x' }])],
  ])('with %s is refused', (_, bytes) => {
    expect(() => parseManifest(bytes)).toThrow(expect.objectContaining({ kind: 'manifest-damaged' }))
  })
})

const IGNORED = ['backup_manifest', 'pg_wal', 'postgresql.auto.conf', 'recovery.signal', 'standby.signal']

/** pg_verifybackup's own words for it, with nothing spared. */
function checkSlowly(expected: [string, string][], actual: [string, string][]): ManifestProblem[] {
  const isIgnored = (path: string) => IGNORED.some(ignored => path === ignored || path.startsWith(`${ignored}/`))
  const paths = [...new Set([...expected, ...actual].map(([path]) => path))].sort()
  return paths.flatMap((path): ManifestProblem[] => {
    if (isIgnored(path)) return []
    const wanted = expected.find(([name]) => name === path)?.[1]
    const found = actual.find(([name]) => name === path)?.[1]
    if (wanted === undefined) return [{ kind: 'extra', path }]
    if (found === undefined) return [{ kind: 'missing', path }]
    if (wanted.length !== found.length) return [{ kind: 'size', path, expected: wanted.length, found: found.length }]
    if (wanted !== found) return [{ kind: 'checksum', path, expected: sha256(wanted), found: sha256(found) }]
    return []
  })
}

const name = fc.constantFrom(
  'PG_VERSION',
  'backup_label',
  'global/pg_control',
  'base/1/1259',
  'base/1/2',
  'pg_tblspc/16384/PG_18/5/1',
  'pg_walx',
  'base/pg_wal/1',
  'pg_wal/x',
  'recovery.signal.old',
  'postgresql.auto.conf.tmp',
  ...IGNORED,
)
const bytes = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 })
const fileSet = fc.dictionary(name, bytes).map(files => Object.entries(files))

const check = (expected: [string, string][], actual: [string, string][]) =>
  checkFiles(
    parseManifest(render(expected.map(([path, content]) => entry(path, content)))),
    actual.map(([path, content]) => ({ path, sizeBytes: content.length })),
    new Map(actual.map(([path, content]) => [path, sha256(content)])),
  )

describe('files checked against a manifest', () => {
  test('differ in what a slow comparison finds', () => {
    fc.assert(
      fc.property(fileSet, fileSet, (expected, actual) => {
        expect(check(expected, actual)).toEqual(checkSlowly(expected, actual))
      }),
    )
  })

  test('that are all there, unchanged, give no problem', () => {
    fc.assert(
      fc.property(fileSet, files => {
        expect(check(files, files)).toEqual([])
      }),
    )
  })

  test('are compared by size alone where the manifest has no checksum', () => {
    const manifest = parseManifest(render([{ Path: 'a', Size: 1, 'Last-Modified': '' }]))
    expect(checkFiles(manifest, [{ path: 'a', sizeBytes: 1 }], new Map())).toEqual([])
    expect(checkFiles(manifest, [{ path: 'a', sizeBytes: 2 }], new Map())).toEqual([
      { kind: 'size', path: 'a', expected: 1, found: 2 },
    ])
  })

  test('are not passed for want of a checksum', () => {
    const manifest = parseManifest(render([entry('a', 'x')]))
    expect(checkFiles(manifest, [{ path: 'a', sizeBytes: 1 }], new Map())).toMatchObject([
      { kind: 'checksum', path: 'a', found: 'none' },
    ])
    const other = parseManifest(render([{ ...entry('a', 'x'), 'Checksum-Algorithm': 'CRC32C', Checksum: '00000000' }]))
    expect(() => checkFiles(other, [{ path: 'a', sizeBytes: 1 }], new Map())).toThrow(/CRC32C/)
  })
})

/** What a check reads of a volume. */
function volumeOf(files: Record<string, string | Buffer>): Volume {
  const below = (folder: string) =>
    Object.entries(files).filter(([path]) => folder === '' || path.startsWith(`${folder}/`))
  return {
    list: async (folder = '') => below(folder).map(([path, content]) => ({ path, sizeBytes: content.length })),
    hash: async (folder = '') =>
      new Map(
        below(folder).map(([path, content]) => [folder === '' ? path : path.slice(folder.length + 1), sha256(content)]),
      ),
  } as Volume
}

describe('a restored base backup', () => {
  const files = { PG_VERSION: '18\n', 'base/1/1259': 'rows', 'pg_tblspc/16384/PG_18/5/1': 'more rows' }
  const bytesOfManifest = render(Object.entries(files).map(([path, content]) => entry(path, content)))
  const backup = { id: 'b1', manifest: parseManifest(bytesOfManifest) } as BaseBackup
  const restored = {
    PG_VERSION: '18\n',
    'base/1/1259': 'rows',
    backup_manifest: bytesOfManifest,
    'recovery.signal': '',
  }
  const tablespaces = volumeOf({ 'moved/PG_18/5/1': 'more rows', 'other/x': 'not of this backup' })
  const moved = [{ oid: '16384', volume: tablespaces, folder: 'moved' }]

  test('is whole with its tablespaces in their new places', async () => {
    await expect(verifyBaseBackup(backup, volumeOf(restored), moved)).resolves.toBeUndefined()
  })

  test('is whole with its tablespaces reached through the data directory', async () => {
    await expect(
      verifyBaseBackup(backup, volumeOf({ ...restored, 'pg_tblspc/16384/PG_18/5/1': 'more rows' })),
    ).resolves.toBeUndefined()
  })

  test('is damaged when a file of a tablespace is missing', async () => {
    await expect(verifyBaseBackup(backup, volumeOf(restored))).rejects.toMatchObject({
      kind: 'backup-damaged',
      evidence: { count: 1, problems: [{ kind: 'missing', path: 'pg_tblspc/16384/PG_18/5/1' }] },
    })
  })

  test('is damaged when its manifest is another one', async () => {
    await expect(
      verifyBaseBackup(backup, volumeOf({ ...restored, backup_manifest: render([]) }), moved),
    ).rejects.toThrow(/1 of 3 files differ from its manifest: backup_manifest \(checksum\)$/)
    const { backup_manifest: _, ...without } = restored
    await expect(verifyBaseBackup(backup, volumeOf(without), moved)).rejects.toThrow(/backup_manifest \(missing\)$/)
  })

  test('names the first of many damaged files', async () => {
    const extra = Object.fromEntries(
      Array.from({ length: 200 }, (_, number) => [`x${String(number).padStart(3, '0')}`, '']),
    )
    await expect(
      verifyBaseBackup(backup, volumeOf({ ...restored, PG_VERSION: '18', ...extra }), moved),
    ).rejects.toMatchObject({
      message:
        'backup b1 was not restored as it was taken: 201 of 3 files differ from its manifest: PG_VERSION (size: 2 bytes instead of 3), x000 (extra), x001 (extra), x002 (extra), x003 (extra), …',
      evidence: { count: 201, problems: { length: 100 } },
    })
  })
})
