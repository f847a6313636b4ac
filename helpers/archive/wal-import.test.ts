import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { WalArchive } from './wal-archive.ts'
import { type ImportPlan, importWal } from './wal-import.ts'
import type { WalSource } from './wal-source.ts'

const SIZE = 1024 * 1024
const name = (timeline: number, number: number) =>
  `0000000${timeline}00000000${number.toString(16).toUpperCase().padStart(8, '0')}`

let root: string
let archive: WalArchive
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'wal-import-'))
  archive = new WalArchive(new EmbeddedVolume('archive', path.join(root, 'archive'), undefined), SIZE)
  await archive.create()
})
afterEach(() => rmSync(root, { recursive: true }))

/** Begins in segment 2 of timeline 1, at 2 MiB and a bit, and brings those along. */
const backup = (...own: string[]): ImportPlan['backup'] => ({
  timeline: 1,
  startLsn: Lsn.parse('0/200028'),
  segmentSizeBytes: SIZE,
  async *ownWal() {
    for (const one of own) yield { name: one, content: Buffer.from('own') }
  },
})

/** What was asked of it is kept. */
class Files implements WalSource {
  readonly where = 'memory'
  readonly asked: string[] = []
  constructor(private readonly files: Readonly<Record<string, string>>) {}
  async fetch(one: string): Promise<Buffer | undefined> {
    this.asked.push(one)
    const content = this.files[one]
    return content === undefined ? undefined : Buffer.from(content)
  }
}

class ListedFiles extends Files {
  constructor(private readonly all: Readonly<Record<string, string>>) {
    super(all)
  }
  async names(): Promise<string[]> {
    return Object.keys(this.all).sort()
  }
}

const segments = (timeline: number, ...numbers: number[]) =>
  Object.fromEntries(numbers.map(one => [name(timeline, one), 'wal']))
const HISTORY = { '00000002.history': '1\t0/400100\tno recovery target specified\n' }
const stored = async () => (await archive.files()).map(({ path: one }) => one)

describe('from a source that can be listed', () => {
  test('all from the start of the backup on is copied, holes as holes', async () => {
    const source = new ListedFiles({
      ...segments(1, 0, 1, 2, 3, 6),
      ...segments(2, 4),
      ...HISTORY,
      [`${name(1, 2)}.00000028.backup`]: 'x',
      junk: 'x',
    })
    expect(await importWal(source, archive, { backup: backup(), timeline: 'latest' })).toMatchObject({
      segments: 4,
      histories: 1,
      holes: [],
    })
    expect(await stored()).toEqual(
      [name(1, 2), `${name(1, 2)}.00000028.backup`, name(1, 3), name(1, 6), '00000002.history', name(2, 4)].sort(),
    )
    expect(source.asked).not.toContain(name(1, 1))
  })

  test('nothing is copied beyond the segment after the target', async () => {
    const source = new ListedFiles(segments(1, 2, 3, 4, 5, 6))
    await importWal(source, archive, { backup: backup(), timeline: 'latest', upTo: Lsn.parse('0/300500') })
    expect(await stored()).toEqual([name(1, 2), name(1, 3), name(1, 4)])
  })
})

describe('from a command', () => {
  test('segments are asked for until none is there', async () => {
    const source = new Files(segments(1, 1, 2, 3, 4))
    const found = await importWal(source, archive, { backup: backup(), timeline: 'latest' })
    expect(found).toMatchObject({ segments: 3, bytes: 9, holes: [] })
    expect(await stored()).toEqual([name(1, 2), name(1, 3), name(1, 4)])
    expect(source.asked).toEqual([
      '00000001.history',
      '00000002.history',
      ...[2, 3, 4, 5, 6, 7, 8].map(one => name(1, one)),
    ])
  })

  test('a hole is told from the end', async () => {
    const found = await importWal(new Files(segments(1, 2, 4, 7)), archive, { backup: backup(), timeline: 'latest' })
    expect(found.holes).toEqual([name(1, 3), name(1, 5), name(1, 6)])
    expect(await stored()).toEqual([name(1, 2), name(1, 4), name(1, 7)])
  })

  test('a timeline that was left is followed to its child', async () => {
    const source = new Files({ ...segments(1, 2, 3, 4, 5), ...segments(2, 4, 5), ...HISTORY })
    const found = await importWal(source, archive, { backup: backup(), timeline: 'latest' })
    expect(found).toMatchObject({ histories: 1, holes: [] })
    expect(await stored()).toEqual(
      [name(1, 2), name(1, 3), name(1, 4), '00000002.history', name(2, 4), name(2, 5)].sort(),
    )
    expect(source.asked).toContain('00000003.history')
  })

  test('the timeline of the backup alone is asked for when that is wanted', async () => {
    const source = new Files({ ...segments(1, 2, 3, 4, 5), ...segments(2, 4, 5), ...HISTORY })
    await importWal(source, archive, { backup: backup(), timeline: 'current' })
    expect(await stored()).toEqual([2, 3, 4, 5].map(one => name(1, one)))
  })

  test('no segment is asked for beyond the one after the target', async () => {
    const source = new Files(segments(1, 2, 3, 4, 5, 6))
    await importWal(source, archive, { backup: backup(), timeline: 1, upTo: Lsn.parse('0/200500') })
    expect(await stored()).toEqual([name(1, 2), name(1, 3)])
  })
})

describe("the backup's own WAL", () => {
  test('suffices where there is no source', async () => {
    expect(await importWal(undefined, archive, { backup: backup(name(1, 2)), timeline: 'latest' })).toMatchObject({
      segments: 1,
    })
  })

  test('gives way to the same from the source, which is fuller', async () => {
    const found = await importWal(new Files(segments(1, 3, 4)), archive, {
      backup: backup(name(1, 2), name(1, 3)),
      timeline: 'latest',
    })
    expect(found).toMatchObject({ segments: 3, holes: [] })
    expect(String(await archive.find(name(1, 2)))).toBe('own')
    expect(String(await archive.find(name(1, 3)))).toBe('wal')
  })
})
