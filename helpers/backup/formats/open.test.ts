import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import { EmbeddedVolume } from '../../runtime/embedded-volume.ts'
import { backupModel, LABEL, writeFiles } from './backup-model.ts'
import { openUserBackup } from './open.ts'

let root: string
let backup: string
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'open-'))
  backup = path.join(root, 'backup')
  writeFiles(backup, backupModel())
})
afterEach(() => rmSync(root, { recursive: true }))

const open = (where = backup) => openUserBackup(where, { scratch: path.join(root, 'scratch') })

async function expectRefused(kind: string, message: RegExp, where = backup): Promise<void> {
  const error = await open(where).then(
    () => undefined,
    reason => reason,
  )
  expect(error).toMatchObject(kind === 'CannotRun' ? { name: kind } : { name: 'Failure', kind })
  expect(error.message).toMatch(message)
}

async function pack(name: string, ...options: string[]): Promise<string> {
  const tar = path.join(root, name)
  await execa('tar', ['-C', backup, ...options, '-cf', tar, '.'])
  return tar
}

describe('a backup', () => {
  test.each(['folder', 'tar', 'gzip'])('as %s tells what a restore needs to know', async how => {
    const where = how === 'folder' ? backup : how === 'tar' ? await pack('base.tar') : await pack('base.tar.gz', '-z')
    expect(await open(where)).toMatchObject({
      format: how === 'folder' ? 'plain' : 'tar',
      where,
      label: 'nightly',
      timeline: 1,
      startLsn: Lsn.parse('0/2000028'),
      stopLsn: undefined,
      takenAt: '2026-11-23 01:48:50 UTC',
      systemIdentifier: '7654321098765432109',
      serverMajor: 15,
      segmentSizeBytes: 64 * 1024 * 1024,
      catalogVersion: 202_209_061,
      limits: { maxConnections: 300 },
      manifest: undefined,
      configuration: [{ file: 'postgresql.auto.conf', line: 1, name: 'archive_command', value: 'cp %p /prod/%f' }],
      warnings: [expect.stringContaining('has no backup_manifest')],
    })
  })

  test('has its configuration in the order in which PostgreSQL reads it', async () => {
    writeFiles(backup, {
      'postgresql.conf': "port = 1\ninclude_dir = 'conf.d'\n",
      'conf.d/10.conf': 'port = 2\n',
      'pg_hba.conf': 'host all all all trust\n',
    })
    expect((await open()).configuration.map(({ file, name }) => `${file} ${name}`)).toEqual([
      'postgresql.conf port',
      'postgresql.conf include_dir',
      'conf.d/10.conf port',
      'postgresql.auto.conf archive_command',
    ])
  })

  test('brings its WAL along, behind the link of initdb --waldir as well', async () => {
    const elsewhere = path.join(root, 'elsewhere')
    writeFiles(elsewhere, {
      '000000010000000000000002': 'wal',
      '00000002.history': 'x',
      'archive_status/x.done': '',
      junk: '',
    })
    symlinkSync(elsewhere, path.join(backup, 'pg_wal'))
    const found: string[] = []
    for await (const { name, content } of (await open()).ownWal()) found.push(`${name} ${content}`)
    expect(found).toEqual(['000000010000000000000002 wal', '00000002.history x'])
  })

  test('has its tablespaces where the links lead', async () => {
    writeFiles(path.join(root, 'fast'), { 'PG_15_202209061/5/16385': 'rows' })
    mkdirSync(path.join(backup, 'pg_tblspc'))
    symlinkSync('../../fast', path.join(backup, 'pg_tblspc/16384'))
    const found = await open()
    expect(found.tablespaces).toEqual([{ oid: '16384', location: realpathSync(path.join(root, 'fast')) }])
    const [base, fast] = ['base', 'fast'].map(
      name => new EmbeddedVolume(name, path.join(root, `to-${name}`), undefined),
    )
    await found.unpack(part => ({ volume: (part === 'base' ? base : fast) as EmbeddedVolume, folder: '' }))
    expect((await base?.list())?.map(file => file.path)).toEqual([
      'PG_VERSION',
      'backup_label',
      'base/1/1259',
      'global/pg_control',
      'postgresql.auto.conf',
    ])
    expect((await fast?.list())?.map(file => file.path)).toEqual(['PG_15_202209061/5/16385'])
  })
})

describe('what is no base backup is refused:', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['nothing', () => path.join(root, 'nowhere'), /there is no file or folder .*nowhere/],
    [
      'an empty folder',
      () => {
        mkdirSync(path.join(root, 'empty'))
        return path.join(root, 'empty')
      },
      /is an empty folder/,
    ],
    [
      'another folder',
      () => {
        writeFiles(path.join(root, 'other'), { a: '' })
        return path.join(root, 'other')
      },
      /neither PG_VERSION nor base\.tar/,
    ],
    ['the folder above it', () => root, /but the folder backup in it is: name .*backup$/],
    [
      'another file',
      () => {
        writeFiles(root, { x: 'x' })
        return path.join(root, 'x')
      },
      /neither a folder nor a tar/,
    ],
    [
      'a dump',
      () => {
        writeFiles(root, { 'x.dump': 'PGDMP\x01' })
        return path.join(root, 'x.dump')
      },
      /is a dump made by pg_dump/,
    ],
    [
      'a dump in SQL',
      () => {
        writeFiles(root, { 'x.sql': '--\n-- PostgreSQL database dump\n--\n' })
        return path.join(root, 'x.sql')
      },
      /is a dump made by pg_dump/,
    ],
    [
      'a dump in a folder',
      () => {
        writeFiles(path.join(root, 'd'), { 'toc.dat': 'PGDMP' })
        return path.join(root, 'd')
      },
      /is a dump made by pg_dump/,
    ],
    [
      'a copy without backup_label',
      () => rmSync(path.join(backup, 'backup_label')),
      /no backup_label.*\(its server was in production\)/,
    ],
    ['a part of one', () => rmSync(path.join(backup, 'global/pg_control')), /only a part of a base backup/],
    [
      'one of another major',
      () => writeFileSync(path.join(backup, 'PG_VERSION'), '14\n'),
      /a backup of PostgreSQL 14: those of 15 to 18/,
    ],
    [
      'an incremental one',
      () => writeFileSync(path.join(backup, 'backup_label'), `${LABEL}INCREMENTAL FROM LSN: 0/1000028\n`),
      /an incremental backup: combine it/,
    ],
    [
      'one whose tablespace is gone',
      () => {
        mkdirSync(path.join(backup, 'pg_tblspc'))
        symlinkSync('/nowhere', path.join(backup, 'pg_tblspc/16384'))
      },
      /leads to \/nowhere, which is not there/,
    ],
    [
      'a running server',
      () => writeFileSync(path.join(backup, 'postmaster.pid'), `${process.pid}\n${backup}\n`),
      /the data directory of a running server/,
    ],
  ])('%s', async (_, prepare, message) => {
    const where = prepare()
    await expectRefused('CannotRun', message, typeof where === 'string' ? where : backup)
  })

  test('a dump as a tar', async () => {
    writeFiles(path.join(root, 'd'), { 'toc.dat': 'PGDMP' })
    await execa('tar', ['-C', path.join(root, 'd'), '-cf', path.join(root, 'x.tar'), 'toc.dat'])
    await expectRefused('CannotRun', /is a dump made by pg_dump/, path.join(root, 'x.tar'))
  })

  test('a tar with another folder at its top', async () => {
    await execa('tar', ['-C', root, '-cf', path.join(root, 'x.tar'), 'backup'])
    await expectRefused('CannotRun', /has no PG_VERSION at its top, but backup/, path.join(root, 'x.tar'))
  })

  test("a tar without its tablespaces' tars", async () => {
    writeFiles(backup, { tablespace_map: '16384 /fast\n' })
    await expectRefused('CannotRun', /16384\.tar is missing beside/, await pack('base.tar'))
  })
})

describe('a lock is no sign of a running server', () => {
  test.each([
    ['when its process is gone', () => `999999999\n${backup}\n`],
    ['when it names another folder: it is a copy', () => `${process.pid}\n/var/lib/postgresql/data\n`],
  ])('%s', async (_, lock) => {
    writeFiles(backup, { 'postmaster.pid': lock() })
    expect(await open()).toMatchObject({ format: 'plain' })
  })
})

describe('a backup that could reach beyond itself, or is not whole, is refused:', () => {
  test.each<[string, string, () => void, RegExp]>([
    [
      'a link that leads out',
      'backup-unsafe',
      () => symlinkSync('/etc/passwd', path.join(backup, 'base/1/2')),
      /'base\/1\/2' is a symbolic link to '\/etc\/passwd'/,
    ],
    [
      'a folder that is a link',
      'backup-unsafe',
      () => symlinkSync('/etc', path.join(backup, 'base/5')),
      /a symbolic link to '\/etc'/,
    ],
    [
      'a damaged control file',
      'control-file-damaged',
      () => writeFileSync(path.join(backup, 'global/pg_control'), Buffer.alloc(8192)),
      /its version is 0/,
    ],
    [
      'a damaged label',
      'backup-label-damaged',
      () => writeFileSync(path.join(backup, 'backup_label'), 'x'),
      /no backup_label/,
    ],
    [
      'a damaged manifest',
      'manifest-damaged',
      () => writeFileSync(path.join(backup, 'backup_manifest'), '{}'),
      /cannot be relied on/,
    ],
  ])('%s', async (_, kind, prepare, message) => {
    prepare()
    await expectRefused(kind, message)
  })

  test('a pipe', async () => {
    await execa('mkfifo', [path.join(backup, 'base/pipe')])
    await expectRefused('backup-unsafe', /'base\/pipe' is a pipe, a socket or a device/)
  })

  test.skipIf(process.getuid?.() === 0)('a file that cannot be read', async () => {
    chmodSync(path.join(backup, 'PG_VERSION'), 0)
    await expectRefused('CannotRun', /PG_VERSION cannot be read \(EACCES\)/)
  })
})
