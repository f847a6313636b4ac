import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EmbeddedVolume } from '../../runtime/embedded-volume.ts'
import { backupModel, writeFiles } from './backup-model.ts'
import { openUserBackup } from './open.ts'

let root: string
let backup: string
let volume: EmbeddedVolume
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'unpack-'))
  backup = path.join(root, 'backup')
  writeFiles(backup, backupModel())
  volume = new EmbeddedVolume('data', path.join(root, 'data'), undefined)
  await volume.create()
})
afterEach(() => rmSync(root, { recursive: true }))

const checksumOf: Record<string, (content: Buffer) => string> = {
  // Of 'rows' as PostgreSQL writes it: the lowest byte first.
  CRC32C: () => '4d099baf',
  SHA512: content => createHash('sha512').update(content).digest('hex'),
  SHA256: content => createHash('sha256').update(content).digest('hex'),
}

/** A manifest of everything that is in the folder now. */
function writeManifest(algorithm: string | undefined, files = ['base/1/1259']): void {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const all = Object.entries(backupModel()).map(([name, content]) => ({
    Path: name,
    Size: content.length,
    'Last-Modified': '2026-11-23 01:48:50 GMT',
    ...(algorithm && files.includes(name)
      ? { 'Checksum-Algorithm': algorithm, Checksum: checksumOf[algorithm]?.(Buffer.from(content)) }
      : {}),
  }))
  const ranges = [{ Timeline: 1, 'Start-LSN': '0/2000028', 'End-LSN': '0/2000138' }]
  const text = `{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": ${JSON.stringify(all)},\n"WAL-Ranges": ${JSON.stringify(ranges)},\n`
  writeFileSync(path.join(backup, 'backup_manifest'), `${text}"Manifest-Checksum": "${sha256(text)}"}\n`)
}

async function unpack(where = backup) {
  const found = await openUserBackup(where, { scratch: root })
  return await found.unpack(() => ({ volume, folder: '' }))
}

describe('a backup is unpacked', () => {
  test('file by file, with what was read of each', async () => {
    const manifest = await unpack()
    expect(manifest).toMatchObject({ sha256: undefined, walRanges: [] })
    expect(manifest.files).toContainEqual({
      path: 'base/1/1259',
      sizeBytes: 4,
      algorithm: 'SHA256',
      checksum: createHash('sha256').update('rows').digest('hex'),
    })
    expect((await volume.read('base/1/1259')).toString()).toBe('rows')
  })

  test('without WAL, locks and slots', async () => {
    writeFiles(backup, {
      'pg_wal/000000010000000000000002': 'x',
      'pg_wal/archive_status/000000010000000000000002.done': '',
      'postmaster.pid': '999999999\n/elsewhere\n',
      'pg_replslot/standby/state': 'x',
    })
    await unpack()
    expect((await volume.list()).map(({ path }) => path)).toEqual(Object.keys(backupModel()).toSorted())
    expect((await volume.entries('pg_wal')).map(({ path }) => path)).toEqual(['archive_status'])
  })

  test('from a tar with its manifest beside it', async () => {
    writeManifest('CRC32C')
    await execa('tar', ['-C', backup, '--exclude=backup_manifest', '-czf', path.join(root, 'base.tar.gz'), '.'])
    await execa('mv', [path.join(backup, 'backup_manifest'), root])
    expect((await unpack(path.join(root, 'base.tar.gz'))).sha256).toMatch(/^[0-9a-f]{64}$/)
    expect((await volume.read('backup_manifest')).toString()).toContain('Manifest-Checksum')
  })
})

describe.each(['CRC32C', 'SHA256', 'SHA512', undefined])('by a manifest of %s', algorithm => {
  test('it is found whole', async () => {
    writeManifest(algorithm)
    const manifest = await unpack()
    expect(manifest.files.every(file => file.algorithm === 'SHA256')).toBe(true)
    expect(String(manifest.walRanges[0]?.endLsn)).toBe('0/2000138')
  })

  test.each([
    ['changed', algorithm === undefined ? 'rowsx' : 'rowz', algorithm === undefined ? 'size' : 'checksum'],
    ['cut off', 'row', 'size'],
    ['missing', undefined, 'missing'],
  ])('a file that is %s is found', async (_, content, kind) => {
    writeManifest(algorithm)
    if (content === undefined) rmSync(path.join(backup, 'base/1/1259'))
    else writeFileSync(path.join(backup, 'base/1/1259'), content)
    await expect(unpack()).rejects.toMatchObject({
      kind: 'backup-damaged',
      evidence: { problems: [{ kind, path: 'base/1/1259' }] },
    })
  })

  test('a file too many is found', async () => {
    writeManifest(algorithm)
    writeFiles(backup, { 'base/1/stray': '' })
    await expect(unpack()).rejects.toMatchObject({ evidence: { problems: [{ kind: 'extra', path: 'base/1/stray' }] } })
  })
})

test('a label of another backup than the manifest is found before anything is unpacked', async () => {
  writeManifest('CRC32C')
  const label = String(backupModel().backup_label).replace('0/2000028', '0/3000028')
  writeFileSync(path.join(backup, 'backup_label'), label)
  await expect(openUserBackup(backup, { scratch: root })).rejects.toMatchObject({ kind: 'backup-mixed' })
})

test('a tar with two files of one name is refused', async () => {
  const tar = path.join(root, 'base.tar')
  await execa('tar', ['-C', backup, '-cf', tar, '.'])
  await execa('tar', ['-C', backup, '-rf', tar, './base/1/1259'])
  await expect(unpack(tar)).rejects.toThrow(/'base\/1\/1259' is in it twice/)
})

test('a large backup takes no more memory than a small one', async () => {
  const bytes = Buffer.alloc(8 * 1024 * 1024, 7)
  writeFiles(backup, Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`base/1/${n}`, bytes])))
  const before = process.memoryUsage()
  let highest = 0
  const found = await openUserBackup(backup, { scratch: root })
  await found.unpack(
    () => ({ volume, folder: '' }),
    () => {
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      highest = Math.max(highest, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed)
    },
  )
  expect(highest).toBeLessThan(64 * 1024 * 1024)
})
