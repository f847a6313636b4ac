import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { describeSnapshot, summarizeSnapshot } from './snapshot-description.ts'
import { type LiveSnapshot, parseSnapshot, readSnapshotFile, writeSnapshotFile } from './snapshot-file.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'snapshot-file-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const SNAPSHOT: LiveSnapshot = {
  takenAt: '2026-11-27T11:22:33.123456Z',
  systemIdentifier: '7300000000000000001',
  serverVersion: '17.4',
  database: 'dispatch',
  timeline: 2,
  fromLsn: Lsn.parse('0/3000060'),
  toLsn: Lsn.parse('0/3000100'),
  exact: false,
  transactionsInProgress: 1,
  currentLsn: Lsn.parse('0/3000000'),
  insertLsn: Lsn.parse('0/3000060'),
  heldSeconds: 0.25,
  archive: { notListed: 'PREFLIGHT_ARCHIVE is not set' },
  settings: { wal_keep_size: { value: '64', unit: 'MB', source: 'configuration file' } },
  extensions: [{ name: 'plpgsql', version: '1.0', schema: 'pg_catalog' }],
  databases: [{ name: 'dispatch', sizeBytes: 10 }, { name: 'hidden' }],
  tables: [
    { schema: 'public', name: 'jobs', kind: 'table', sizeBytes: 8192, rows: 3, checksum: 'abc' },
    {
      schema: 'a.b',
      name: 'c',
      kind: 'table',
      sizeBytes: 0,
      rows: 5,
      checksum: 'd',
      sampled: { oneIn: 3, by: ['id'], rows: 2 },
    },
    { schema: 'public', name: 'log', kind: 'table', sizeBytes: 0, rows: 7 },
    { schema: 'public', name: 'view', kind: 'materialized view', unread: 'it was dropped' },
  ],
  leftOut: [{ schema: 'public', name: 'cache', why: 'unlogged' }],
}

describe('the file of a snapshot', () => {
  test('holds what was written into it, under the name of system and time, alone in its folder', async () => {
    const made = path.join(folder, 'made/for/it')
    const file = await writeSnapshotFile(made, SNAPSHOT)
    expect(readdirSync(made)).toEqual(['snapshot-7300000000000000001-20261127T112233.123Z.json'])
    expect(await readSnapshotFile(file)).toEqual(SNAPSHOT)
  })

  test('is not replaced by another one, and nothing of that is left', async () => {
    const made = path.join(folder, 'twice')
    const file = await writeSnapshotFile(made, SNAPSHOT)
    const first = readFileSync(file)
    await expect(writeSnapshotFile(made, { ...SNAPSHOT, timeline: 3 })).rejects.toMatchObject({
      name: 'CannotRun',
      message: expect.stringMatching(/cannot be written to .*\(EEXIST\): name another folder with --out/),
    })
    expect(readFileSync(file)).toEqual(first)
    expect(readdirSync(made)).toHaveLength(1)
  })

  test('that cannot be written is told', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    await expect(writeSnapshotFile(path.join(file, 'below'), SNAPSHOT)).rejects.toMatchObject({ name: 'CannotRun' })
  })

  test.each<[string, (written: string) => string]>([
    ['is cut off', text => text.slice(0, -10)],
    ['is empty', () => ''],
    ['is something else', () => '{"drills": []}'],
    ['has a format of another time', text => text.replace('snapshot 1', 'snapshot 2')],
    ['lacks an LSN', text => text.replace('"fromLsn"', '"from"')],
    ['has an LSN that is none', text => text.replace('0/3000060', '0-3000060')],
    ['has rows that are no number', text => text.replace('"rows": 3', '"rows": "3"')],
    ['has something besides', text => text.replace('"timeline"', '"password": "x", "timeline"')],
  ])('that %s is refused in one sentence', async (_, change) => {
    const file = await writeSnapshotFile(mkdtempSync(path.join(folder, 'damaged-')), SNAPSHOT)
    const text = change(readFileSync(file, 'utf8'))
    expect(() => parseSnapshot(text, 'the file')).toThrow(
      /^the file is no snapshot that can be read \(.+\): name a file/,
    )
  })

  test('that is none is told', async () => {
    const none = path.join(folder, 'none')
    await expect(readSnapshotFile(none)).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be read \(ENOENT\)/),
    })
    mkdirSync(none)
    await expect(readSnapshotFile(none)).rejects.toMatchObject({
      message: expect.stringMatching(/cannot be read \(EISDIR\)/),
    })
    chmodSync(none, 0o700)
  })

  test('brings any names back', async () => {
    const name = fc.string({ unit: 'binary' })
    await fc.assert(
      fc.property(name, name, fc.nat(), (schema, table, rows) => {
        const tables = [{ schema, name: table, kind: 'table' as const, sizeBytes: 0, rows }]
        const text = JSON.stringify({ format: 'pg-recovery-drills snapshot 1', ...SNAPSHOT, tables })
        expect(parseSnapshot(text, 'it').tables).toEqual(JSON.parse(JSON.stringify(tables)))
      }),
    )
  })
})

describe('a snapshot in a few lines', () => {
  test('says what its counts are worth', () => {
    expect(describeSnapshot(SNAPSHOT)).toEqual([
      'dispatch of system 7300000000000000001, PostgreSQL 17.4, timeline 2, at 2026-11-27T11:22:33.123456Z',
      'not exact, since others were writing: it holds every commit before 0/3000060 that had ended, none after 0/3000100, and of 1 in progress perhaps some; its counts are bounds',
      '4 tables, 15 rows: 1 with a checksum of all rows, 1 with a checksum of some rows, 1 counted, 1 not read',
      'archive not listed, because PREFLIGHT_ARCHIVE is not set',
      'held its transaction for 0.250 s, and vacuum back for as long',
    ])
    const listing = { segments: ['a'], wrongSized: [], histories: [], backups: [], partials: [], foreign: [] }
    const archive = { where: '/archive', coverage: 'the archive covers 0/3000060', ...listing }
    expect(describeSnapshot({ ...SNAPSHOT, exact: true, archive, tables: [] }).slice(1, 4)).toEqual([
      'exact at 0/3000060: it holds every commit before, and no other',
      '0 tables, 0 rows',
      'archive /archive: a; the archive covers 0/3000060',
    ])
  })

  test('and in a few fields, as plain JSON', () => {
    const summary = summarizeSnapshot(SNAPSHOT)
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary)
    expect(summary).toMatchObject({ tables: 4, rows: 15, checksummed: 1, sampled: 1, counted: 1, unread: 1 })
  })
})
