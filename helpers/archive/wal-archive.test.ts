import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '../failure.ts'
import { takeSegment, truncateSegment } from '../faults/archive-faults.ts'
import { ServerLog } from '../postgres/server-log.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { compareFingerprints, WalArchive } from './wal-archive.ts'

const deadlines = vi.hoisted(() => ({ segmentArchived: 30_000 }))
vi.mock('../deadlines.ts', () => ({ deadlinesMs: deadlines }))
/** For what does not come: long enough for a look at what is there instead. */
const LATE_MS = 500

const archiving = { log: new ServerLog() }
const SIZE = 1024 * 1024
const segment = (number: number) => new WalSegment(1, BigInt(number), SIZE)

describe('a WAL archive', () => {
  let volume: EmbeddedVolume
  let archive: WalArchive
  const store = (number: number, content = Buffer.alloc(SIZE)) => volume.write(`wal/${segment(number)}`, content)

  beforeEach(async () => {
    deadlines.segmentArchived = 30_000
    volume = new EmbeddedVolume(
      'archive',
      path.join(mkdtempSync(path.join(tmpdir(), 'wal-archive-test-')), 'archive'),
      undefined,
    )
    archive = new WalArchive(volume, SIZE)
    await archive.create()
  })
  afterEach(() => new EmbeddedVolume('folder', path.dirname(volume.path), undefined).destroy())

  it('is empty when it is new, and lies in a folder of its volume', async () => {
    expect(archive.path).toBe(`${volume.path}/wal`)
    expect((await archive.list()).summary()).toEqual({
      segments: [],
      wrongSized: [],
      histories: [],
      backups: [],
      partials: [],
      foreign: [],
    })
  })

  it('waits for a segment until it is whole', async () => {
    await store(1, Buffer.alloc(10))
    let isOver = false
    const waiting = archive.waitFor(segment(1), archiving).then(() => {
      isOver = true
    })
    await archive.list()
    expect(isOver).toBe(false)
    await store(1)
    await waiting
  })

  it('says which segment was archived last when one does not come, and how short one is', async () => {
    deadlines.segmentArchived = LATE_MS
    await store(1)
    await store(2, Buffer.alloc(10))
    const error = await archive.waitFor(segment(2), archiving).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Failure)
    expect(error).toMatchObject({
      kind: 'deadline-passed',
      message: expect.stringContaining(`${segment(1)} as the last one archived, and ${segment(2)} with 10 bytes`),
    })
    await expect(archive.waitFor(new WalSegment(7, 1n, SIZE), archiving)).rejects.toThrow(
      'nothing of timeline 7 archived',
    )
  })

  it('says why the archiver could not store the segment that does not come', async () => {
    deadlines.segmentArchived = LATE_MS
    const log = new ServerLog()
    log.append(
      'cp: disk is full\n2026-11-27 03:00:00.123 UTC [42] archiver LOG:  archive command failed with exit code 1\n',
    )
    await expect(archive.waitFor(segment(1), { log })).rejects.toThrow(
      'nothing of timeline 1 archived; the archiver says: archive command failed with exit code 1 (cp: disk is full)',
    )
  })

  it('waits for a compressed segment until it is whole, and says when it does not become so', async () => {
    const bytes = gzipSync(Buffer.alloc(SIZE))
    await volume.write(`wal/${segment(1)}.gz`, bytes.subarray(0, -1))
    deadlines.segmentArchived = LATE_MS
    await expect(archive.waitFor(segment(1), archiving)).rejects.toThrow(
      `last seen: ${segment(1)}, compressed, and not whole: cut off, or not in the format that its name says`,
    )
    await volume.write(`wal/${segment(1)}.gz`, bytes)
    deadlines.segmentArchived = 30_000
    await archive.waitFor(segment(1), archiving)
  })

  it('loses a compressed segment and gets it back', async () => {
    await volume.write(`wal/${segment(1)}.gz`, gzipSync(Buffer.alloc(SIZE)))
    const before = await archive.fingerprint()
    const repair = await takeSegment(archive, segment(1))
    expect(await archive.fingerprint()).toEqual(new Map())
    await repair()
    expect(await archive.fingerprint()).toEqual(before)
  })

  it('loses a segment and gets it back, once, as it was', async () => {
    await store(1)
    await store(2)
    const before = await archive.fingerprint()
    const repair = await takeSegment(archive, segment(1))
    expect(String(await archive.list())).toBe(segment(2).name)
    expect(compareFingerprints(before, await archive.fingerprint())).toEqual({
      added: [],
      removed: [segment(1).name],
      changed: [],
    })
    await repair()
    await repair()
    expect(compareFingerprints(before, await archive.fingerprint())).toEqual({ added: [], removed: [], changed: [] })
  })

  it.each([0, 1000])('has a segment cut off to %i bytes, and gets it back as it was', async sizeBytes => {
    await store(1)
    const before = await archive.fingerprint()
    const repair = await truncateSegment(archive, segment(1), sizeBytes)
    expect((await archive.list()).wrongSized).toMatchObject([{ sizeBytes }])
    await repair()
    expect(await archive.fingerprint()).toEqual(before)
  })

  it('has a repair that can be made again after it failed', async () => {
    await store(1)
    const repair = await takeSegment(archive, segment(1))
    await volume.rename('taken', 'elsewhere')
    await expect(repair()).rejects.toThrow()
    await volume.rename('elsewhere', 'taken')
    await repair()
    expect(String(await archive.list())).toBe(segment(1).name)
  })

  it('shows by its fingerprint what was added, removed and changed', () => {
    const before = new Map([
      ['a', '1'],
      ['b', '1'],
      ['c', '1'],
    ])
    const after = new Map([
      ['a', '1'],
      ['c', '2'],
      ['d', '1'],
    ])
    expect(compareFingerprints(before, after)).toEqual({ added: ['d'], removed: ['b'], changed: ['c'] })
  })
})
