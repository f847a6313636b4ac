import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
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
  systemIdentifier: '7000000000000000001',
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
    return content === undefined ? undefined : Buffer.from(content, 'latin1')
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
      ...[2, 4, 8, 16, 32, 64, 128, 256].map(step => name(1, 8 + step)),
    ])
    expect(found.notThere).toEqual({ first: name(1, 5), last: name(1, 264) })
  })

  test('a hole is told from the end', async () => {
    const found = await importWal(new Files(segments(1, 2, 4, 7)), archive, { backup: backup(), timeline: 'latest' })
    expect(found.holes).toEqual([name(1, 3), name(1, 5), name(1, 6)])
    expect(await stored()).toEqual([name(1, 2), name(1, 4), name(1, 7)])
  })

  test.each([4, 9, 60, 250])(
    'a hole of %d segments is none of the end, where there are many behind it',
    async length => {
      const behind = Array.from({ length: 300 }, (_, index) => 4 + length + index)
      const source = new Files(segments(1, 2, 3, ...behind))
      const found = await importWal(source, archive, { backup: backup(), timeline: 'latest' })
      expect(found.holes).toHaveLength(length)
      expect(found.holes[0]).toBe(name(1, 4))
      expect(found.segments).toBe(302)
      expect(found.notThere?.first).toBe(name(1, 304 + length))
      // Once is enough for what was found ahead.
      const given = source.asked.filter(one => behind.some(number => name(1, number) === one))
      expect(new Set(given).size).toBe(given.length)
    },
  )

  test('a hole is told from the end as far as production is known to have come', async () => {
    const files = segments(1, 2, 3, 2000)
    const blind = await importWal(new Files(files), archive, { backup: backup(), timeline: 'latest' })
    expect(blind).toMatchObject({ segments: 2, holes: [], notThere: { first: name(1, 4) } })
    const known = Lsn.fromBytes(BigInt(2000 * SIZE + 40))
    const found = await importWal(new Files(files), archive, { backup: backup(), timeline: 'latest', known })
    expect(found.segments).toBe(3)
    expect(found.holes).toHaveLength(1996)
  })

  test('what is not there is told where no more was asked for than the target takes', async () => {
    const plan = { backup: backup(), timeline: 1, upTo: Lsn.parse('0/500500') } as const
    const found = await importWal(new Files(segments(1, 2, 3)), archive, plan)
    expect(found.notThere).toEqual({ first: name(1, 4), last: name(1, 6) })
  })

  test('a file that is waited for is named once a second', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    let give: (content: Buffer) => void = () => undefined
    const given = new Promise<Buffer>(resolve => {
      give = resolve
    })
    const isAsked = vi.fn()
    const source: WalSource = {
      where: 'memory',
      fetch: async one => {
        if (one !== name(1, 2)) return undefined
        isAsked()
        return await given
      },
    }
    const told: string[] = []
    const onWait = (one: string, seconds: number) => told.push(`${one} ${seconds}`)
    const imported = importWal(source, archive, { backup: backup(), timeline: 'current', onWait })
    await vi.waitFor(() => expect(isAsked).toHaveBeenCalled())
    vi.advanceTimersByTime(2_500)
    give(Buffer.from('wal'))
    await imported
    expect(told).toEqual([`${name(1, 2)} 1`, `${name(1, 2)} 2`])
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

/** The first page of a segment, and no more: all that tells of which cluster it is. */
function pageOf(systemIdentifier: bigint, number: number): string {
  const page = Buffer.alloc(SIZE)
  page.writeUInt16LE(0xd118, 0)
  page.writeUInt16LE(0x2, 2)
  page.writeUInt32LE(1, 4)
  page.writeBigUInt64LE(BigInt(number * SIZE), 8)
  page.writeBigUInt64LE(systemIdentifier, 24)
  page.writeUInt32LE(SIZE, 32)
  page.writeUInt32LE(8192, 36)
  return page.toString('latin1')
}

describe('a source that cannot be that of the backup, though the backup brings its WAL along', () => {
  const files = (systemIdentifier: bigint, ...numbers: number[]) =>
    Object.fromEntries(numbers.map(one => [name(1, one), pageOf(systemIdentifier, one)]))
  const plan = { backup: backup(name(1, 2), name(1, 3)), timeline: 'latest' } as const

  test.each([
    ['has nothing, listed', () => new ListedFiles({})],
    ['has nothing, asked', () => new Files({})],
    ['has only what lies before the backup', () => new ListedFiles({ ...segments(1, 0, 1), ...HISTORY })],
  ])('is refused where it %s', async (_, source) => {
    await expect(importWal(source(), archive, plan)).rejects.toMatchObject({
      kind: 'archive-empty',
      message: expect.stringMatching(/memory has no WAL from the start of the backup on, no segment 0{7}1.*2 or later/),
    })
  })

  test.each([
    ['listed', (given: Record<string, string>) => new ListedFiles(given)],
    ['asked', (given: Record<string, string>) => new Files(given)],
  ])('is refused where it is of another cluster, %s', async (_, source) => {
    const other = source(files(7000000000000000002n, 2, 3, 4))
    await expect(importWal(other, archive, plan)).rejects.toMatchObject({ kind: 'archive-of-another-cluster' })
  })

  test('is taken where one segment is of the cluster: what is wrong with the others the audit names', async () => {
    const mixed = new ListedFiles({ ...files(7000000000000000002n, 3), ...files(7000000000000000001n, 4) })
    expect(await importWal(mixed, archive, plan)).toMatchObject({ segments: 3, fromSource: 2, fromBackup: 1 })
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
    expect(found).toMatchObject({ segments: 3, fromSource: 2, fromBackup: 1, holes: [] })
    expect(String(await archive.find(name(1, 2)))).toBe('own')
    expect(String(await archive.find(name(1, 3)))).toBe('wal')
  })
})
