import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WalSegment } from '../postgres/wal-segment.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { readContents } from './archive-contents.ts'
import { WalArchive } from './wal-archive.ts'
import { packZstandard } from './zstandard-model.ts'

const SIZE = 1024 * 1024
const HISTORY = '1\t0/300060\tno recovery target specified\n'
const segment = (number: number, timeline = 1) => new WalSegment(timeline, BigInt(number), SIZE).name

describe('the contents of archives', () => {
  let folder: string
  let archives: WalArchive[]
  const store = (index: number, name: string, content: string | Buffer = Buffer.alloc(SIZE)) =>
    archives[index]?.volume.write(`wal/${name}`, content)

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'archive-contents-test-'))
    archives = ['old', 'new'].map(
      name => new WalArchive(new EmbeddedVolume(name, path.join(folder, name), undefined), SIZE),
    )
    for (const archive of archives) await archive.create()
  })
  afterEach(() => new EmbeddedVolume('folder', folder, undefined).destroy())

  it('are those of all together', async () => {
    await store(0, segment(1))
    await store(1, segment(2, 2))
    await store(1, '00000002.history', HISTORY)
    const { listing, histories, damagedHistories } = await readContents(archives)
    expect(listing.summary()).toMatchObject({ segments: [segment(1), segment(2, 2)], histories: [2] })
    expect([...histories].map(([timeline, { switches }]) => [timeline, switches.length])).toEqual([[2, 1]])
    expect(damagedHistories).toEqual([])
  })

  it('have the history of the archive that comes first, compressed or not', async () => {
    await store(0, '00000002.history.gz', gzipSync('1\t0/400060\n'))
    await store(1, '00000002.history', HISTORY)
    const { histories } = await readContents(archives)
    expect(String(histories.get(2)?.switches[0]?.switchpoint)).toBe('0/400060')
  })

  it.each([
    ['empty', ''],
    ['of something else', 'not found\n'],
    ['of another timeline', '7\t0/300060\n'],
  ])('tell a damaged history: %s', async (_, content) => {
    await store(0, '00000002.history', content)
    const { histories, damagedHistories } = await readContents(archives)
    expect([histories.size, damagedHistories]).toEqual([0, [2]])
  })

  it('tell a damaged history: compressed and cut off', async () => {
    await store(0, '00000002.history.gz', gzipSync(HISTORY).subarray(0, -9))
    expect((await readContents(archives)).damagedHistories).toEqual([2])
  })

  it('tell a history compressed with Zstandard, and a damaged one', async () => {
    await store(0, '00000002.history.zst', packZstandard(Buffer.from(HISTORY)))
    expect((await readContents(archives)).histories.has(2)).toBe(true)
    await store(0, '00000002.history.zst', packZstandard(Buffer.from(HISTORY)).subarray(0, -1))
    expect((await readContents(archives)).damagedHistories).toEqual([2])
  })

  it('are refused of no archive, and of archives that do not belong together', async () => {
    await expect(readContents([])).rejects.toThrow('no archive was given')
    const [old] = archives
    const other = new WalArchive(new EmbeddedVolume('other', path.join(folder, 'other'), undefined), 2 * SIZE)
    await expect(readContents([...(old ? [old] : []), other])).rejects.toThrow(
      'archives with segments of 1048576 and of 2097152 bytes are not one',
    )
  })
})
