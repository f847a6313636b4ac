import { mkdtempSync } from 'node:fs'
import { truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { WalModel } from '../postgres/wal-model.ts'
import { PAGE_BYTES } from '../postgres/wal-page.ts'
import type { WalRecord } from '../postgres/wal-record.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import { EmbeddedVolume } from '../runtime/embedded-volume.ts'
import { ArchiveAuditor } from './archive-auditor.ts'
import { readContents } from './archive-contents.ts'
import { type ArchiveAudit, type AuditInput, statusOf } from './audit.ts'
import { WalArchive } from './wal-archive.ts'
import { packZstandard } from './zstandard-model.ts'

class CountingVolume extends EmbeddedVolume {
  bytesRead = 0

  override async read(file: string, into?: Buffer): Promise<Buffer> {
    const bytes = await super.read(file, into)
    this.bytesRead += bytes.length
    return bytes
  }
}

const SIZE = 1024 * 1024
let volume: CountingVolume
let archive: WalArchive

beforeEach(async () => {
  volume = new CountingVolume(
    'archive',
    path.join(mkdtempSync(path.join(tmpdir(), 'archive-auditor-test-')), 'archive'),
    undefined,
  )
  archive = new WalArchive(volume, SIZE)
  await archive.create()
})
afterEach(() => new EmbeddedVolume('folder', path.dirname(volume.path), undefined).destroy())

const append = (model: WalModel, bytes: number) =>
  model.append({ data: Buffer.alloc(bytes, bytes), xid: 5, resourceManager: 10, info: 0 })

/** Six segments, each left with records in it; the third begins within a record. */
function written(timeline = 1): WalModel {
  const model = new WalModel({ firstSegment: 2n, timeline })
  for (let segment = 0; segment < 6; segment++) {
    for (let record = 0; record < 20; record++) append(model, 100 + 40 * record)
    if (segment === 1) append(model, SIZE + 5000)
    else model.switchSegment()
  }
  return model
}

async function store(model: WalModel, pack: (bytes: Buffer) => Buffer = bytes => bytes, ending = ''): Promise<void> {
  for (const { segment, bytes } of model.contents()) await volume.write(`wal/${segment}${ending}`, pack(bytes))
}

/** The backup lies in the first segment, the target in the last. */
function inputOf({ records, segments }: WalModel): Pick<AuditInput, 'backup' | 'target'> {
  const [first, last] = [records[2], records.at(-1)]
  if (!first || !last) throw new Error('too few records')
  return {
    backup: { timeline: segments[0]?.timeline ?? 1, startLsn: first.lsn, stopLsn: first.endLsn },
    target: { lsn: last.lsn },
  }
}

function auditorOf(model: WalModel, deep = false) {
  const auditor = new ArchiveAuditor([archive], { systemIdentifier: model.systemIdentifier, deep })
  return async (more: Partial<AuditInput> = {}) =>
    auditor.audit({ ...(await readContents([archive])), ...inputOf(model), ...more })
}

const nameAt = (model: WalModel, index: number) => String(model.segments[index])
const gapsOf = ({ gaps }: ArchiveAudit) => gaps.map(({ range, damage }) => `${range} ${damage?.kind}`)

function change(name: string, edit: (bytes: Buffer) => void): Promise<() => Promise<void>> {
  return archive.alter(name, stored => {
    const bytes = Buffer.from(stored)
    edit(bytes)
    return bytes
  })
}

function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
}

describe('the first page of a segment', () => {
  it('says nothing wrong where all is as it was written', async () => {
    const model = written()
    await store(model)
    expect(await auditorOf(model)()).toMatchObject({ verdict: 'recoverable', gaps: [], oddities: [] })
  })

  it.each<[string, string, (bytes: Buffer) => void]>([
    ['zeros', 'zeros', bytes => bytes.fill(0)],
    ['those of another cluster', 'other-cluster', bytes => bytes.writeBigUInt64LE(7n, 24)],
    ['of a later timeline', 'other-timeline', bytes => bytes.writeUInt32LE(9, 4)],
    ['no WAL at all', 'unknown-magic', bytes => bytes.fill('something else')],
  ])('shows that its bytes are %s', async (_, kind, edit) => {
    const model = written()
    await store(model)
    await change(nameAt(model, 3), edit)
    const audit = await auditorOf(model)()
    expect(gapsOf(audit)).toEqual([`${nameAt(model, 3)} ${kind}`])
    expect(audit).toMatchObject({ verdict: 'blocked', recoverableTo: model.segments[3]?.start })
  })

  it('shows that two have changed their names, and that one is back', async () => {
    const model = written()
    await store(model)
    const audit = auditorOf(model)
    expect((await audit()).verdict).toBe('recoverable')
    const [a, b] = [nameAt(model, 3), nameAt(model, 4)].map(name => `wal/${name}`) as [string, string]
    const swap = async () => {
      await volume.rename(a, 'wal/aside')
      await volume.rename(b, a)
      await volume.rename('wal/aside', b)
    }
    await swap()
    expect(gapsOf(await audit())).toEqual([`${nameAt(model, 3)}..${nameAt(model, 4)} (2) other-position`])
    await swap()
    expect((await audit()).verdict).toBe('recoverable')
  })

  it('is read once, until the file is another one', async () => {
    const model = written()
    await store(model)
    const audit = auditorOf(model)
    await audit()
    expect(volume.bytesRead).toBe(6 * PAGE_BYTES)
    await audit()
    expect(volume.bytesRead).toBe(6 * PAGE_BYTES)
    const putBack = await archive.alter(nameAt(model, 2), bytes => Buffer.alloc(bytes.length))
    const before = volume.bytesRead
    expect((await audit()).verdict).toBe('blocked')
    expect(volume.bytesRead).toBe(before + PAGE_BYTES)
    await putBack()
    expect((await audit()).verdict).toBe('recoverable')
    expect(volume.bytesRead).toBe(before + 2 * PAGE_BYTES)
  })

  it('is all that is read of a thousand segments of 16 MB', async () => {
    const sizeBytes = 16 * SIZE
    const large = new WalArchive(volume, sizeBytes)
    const [head] = written().contents()
    for (let number = 1; number <= 1000; number++) {
      const segment = new WalSegment(1, BigInt(number), sizeBytes)
      const bytes = head?.bytes.subarray(0, PAGE_BYTES) ?? Buffer.alloc(0)
      bytes.writeBigUInt64LE(segment.start.bytes, 8)
      bytes.writeUInt32LE(sizeBytes, 32)
      await volume.write(`wal/${segment}`, bytes)
      await truncate(path.join(volume.path, 'wal', segment.name), sizeBytes)
    }
    const start = new WalSegment(1, 1n, sizeBytes).start.plus(40n)
    const input = { backup: { timeline: 1, startLsn: start, stopLsn: start }, target: 'latest' as const }
    const auditor = new ArchiveAuditor([large], { systemIdentifier: written().systemIdentifier })
    expect(await auditor.audit({ ...(await readContents([large])), ...input })).toMatchObject({
      verdict: 'recoverable',
      recoverableTo: new WalSegment(1, 1000n, sizeBytes).end,
    })
    expect(volume.bytesRead).toBe(1000 * PAGE_BYTES)
  })
})

describe('the records of a segment', () => {
  /** That one of the last segment but one which is the tenth there. */
  const tenth = (model: WalModel) => {
    const { start } = model.segments[4] as WalSegment
    return model.records.filter(({ lsn }) => start.isBefore(lsn))[10] as WalRecord
  }
  const offsetOf = ({ lsn }: WalRecord) => Number(lsn.bytes % BigInt(SIZE))

  it('say nothing wrong where all is as it was written, and are read once', async () => {
    const model = written()
    await store(model)
    const audit = auditorOf(model, true)
    const server = { timeline: 1, currentLsn: Lsn.zero, lastArchived: model.segments[5] }
    expect(await audit({ server })).toMatchObject({ verdict: 'recoverable', gaps: [], oddities: [] })
    expect(volume.bytesRead).toBe(6 * (SIZE + PAGE_BYTES))
    expect((await audit({ server })).verdict).toBe('recoverable')
    expect(volume.bytesRead).toBe(6 * (SIZE + PAGE_BYTES))
  })

  it('show one that is not as it was written, which no page header shows, and recovery comes up to it', async () => {
    const model = written()
    await store(model)
    const broken = tenth(model)
    await change(nameAt(model, 4), bytes => flip(bytes, offsetOf(broken) + 30))
    expect((await auditorOf(model)()).verdict).toBe('recoverable')
    const audit = await auditorOf(model, true)()
    expect(gapsOf(audit)).toEqual([`${nameAt(model, 4)} wrong-checksum`])
    expect(audit).toMatchObject({ verdict: 'blocked', recoverableTo: broken.lsn })
    expect(audit.gaps[0]?.damage).toMatchObject({
      lsn: broken.lsn,
      what: 'the record has another checksum than it says',
    })
  })

  it('block no target that recovery comes to before', async () => {
    const model = written()
    await store(model)
    const broken = tenth(model)
    await change(nameAt(model, 4), bytes => flip(bytes, offsetOf(broken) + 30))
    const audit = auditorOf(model, true)
    const placement = async (target: Lsn) => (await audit({ target: { lsn: target } })).gaps[0]?.placement
    // It stops only when it has read a whole record at the target or behind it.
    expect(await placement(broken.previousLsn)).toBe('beyond-target')
    expect(await placement(broken.previousLsn.plus(1n))).toBe('blocks-target')
    expect(await placement(broken.lsn)).toBe('blocks-target')
    const backup = (stopLsn: Lsn) => ({ backup: { ...inputOf(model).backup, stopLsn } })
    expect(await audit(backup(broken.lsn))).toMatchObject({ verdict: 'blocked', recoverableTo: broken.lsn })
    expect(await audit(backup(broken.endLsn))).toMatchObject({
      verdict: 'no-consistent-point',
      recoverableTo: undefined,
    })
  })

  it('are read on where segments come to, and anew from where one has changed', async () => {
    const model = written()
    const contents = model.contents()
    for (const { segment, bytes } of contents.slice(0, 4)) await volume.write(`wal/${segment}`, bytes)
    const audit = auditorOf(model, true)
    const server = {
      server: { timeline: 1, currentLsn: model.records.at(-1)?.endLsn ?? Lsn.zero, lastArchived: undefined },
    }
    expect((await audit(server)).verdict).toBe('delayed')
    for (const { segment, bytes } of contents.slice(4)) await volume.write(`wal/${segment}`, bytes)
    let before = volume.bytesRead
    expect((await audit(server)).verdict).toBe('recoverable')
    expect(volume.bytesRead).toBe(before + 2 * (SIZE + PAGE_BYTES))
    before = volume.bytesRead
    const putBack = await change(nameAt(model, 4), bytes => flip(bytes, offsetOf(tenth(model)) + 30))
    before = volume.bytesRead
    expect((await audit(server)).verdict).toBe('blocked')
    expect(volume.bytesRead).toBe(before + PAGE_BYTES + 2 * SIZE)
    await putBack()
    expect((await audit(server)).verdict).toBe('recoverable')
  })

  it('do not matter before the backup, and not in a segment that is not on the way', async () => {
    const model = written()
    await store(model)
    const [first] = model.records
    await change(nameAt(model, 0), bytes => flip(bytes, offsetOf(first as WalRecord) + 30))
    await volume.write(`wal/${model.segments[3]?.onTimeline(7)}`, Buffer.alloc(SIZE))
    expect(await auditorOf(model, true)()).toMatchObject({ verdict: 'recoverable', gaps: [] })
  })

  it('may end in what a dead server wrote last, and not where a living one has archived it', async () => {
    const model = written()
    await store(model)
    const last = model.records.filter(({ lsn }) =>
      (model.segments[5] as WalSegment).start.isBefore(lsn),
    )[10] as WalRecord
    await change(nameAt(model, 5), bytes => bytes.fill(0, offsetOf(last)))
    const audit = auditorOf(model, true)
    expect(await audit({ target: { lsn: last.previousLsn } })).toMatchObject({ verdict: 'recoverable', gaps: [] })
    const server = { timeline: 1, currentLsn: last.endLsn, lastArchived: model.segments[5] }
    expect(gapsOf(await audit({ server }))).toEqual([`${nameAt(model, 5)} zeros`])
  })

  it('name each segment that is damaged, and what comes behind one is read all the same', async () => {
    const model = written()
    await store(model)
    for (const index of [3, 4]) await change(nameAt(model, index), bytes => flip(bytes, PAGE_BYTES + 30))
    await change(nameAt(model, 5), bytes => flip(bytes, 30))
    const audit = await auditorOf(model, true)()
    expect(gapsOf(audit)).toEqual([
      `${nameAt(model, 3)}..${nameAt(model, 4)} (2) wrong-checksum`,
      `${nameAt(model, 5)} other-cluster`,
    ])
  })

  it('of which one goes on in the next segment are damaged in the one that it begins in', async () => {
    const model = written()
    await store(model)
    const long = model.records.find(({ lengthBytes }) => lengthBytes > SIZE)
    await change(nameAt(model, 2), bytes => flip(bytes, 5000))
    const audit = await auditorOf(model, true)()
    expect(gapsOf(audit)).toEqual([`${nameAt(model, 1)} wrong-checksum`])
    expect(audit.recoverableTo).toEqual(long?.lsn)
    expect(statusOf(audit, model.segments[2] as WalSegment)).toBe('found')
  })

  it('set the limit before the first that is not whole, wherever a bit is flipped', async () => {
    const model = written()
    await store(model)
    const audit = auditorOf(model, true)
    const places = fc.record({ index: fc.integer({ min: 1, max: 5 }), page: fc.nat(2), at: fc.nat(PAGE_BYTES - 1) })
    const used = model.contents().map(content => content.used)
    await fc.assert(
      fc.asyncProperty(places, async ({ index, page, at }) => {
        const offset = page * PAGE_BYTES + at
        // Behind what is written, and where a header is padded, nothing means anything.
        fc.pre(used[index]?.[offset] === 1 && !(at >= 20 && at < 24))
        const place = (model.segments[index] as WalSegment).start.plus(BigInt(offset))
        const putBack = await change(nameAt(model, index), bytes => flip(bytes, offset))
        const { recoverableTo, gaps, verdict } = await audit()
        await putBack()
        expect(verdict).not.toBe('recoverable')
        expect(gaps).toHaveLength(1)
        // With a segment of which recovery takes nothing, the limit is where that begins.
        const limit = model.records.findLast(({ endLsn }) => endLsn.isAtOrBefore(place))?.endLsn
        expect([String(limit), String(model.segments[index]?.start)]).toContain(String(recoverableTo))
      }),
      { numRuns: 60 },
    )
  })
})

describe('compressed segments', () => {
  it.each([
    ['.gz', gzipSync],
    ['.zst', packZstandard],
  ] as const)('are looked into as others are: %s', async (ending, pack) => {
    const model = written()
    await store(model, bytes => pack(bytes), ending)
    expect(await auditorOf(model)()).toMatchObject({ verdict: 'recoverable', gaps: [], oddities: [] })
    expect(await auditorOf(model, true)()).toMatchObject({ verdict: 'recoverable', gaps: [], oddities: [] })
    await volume.write(`wal/${model.segments[3]}${ending}`, pack(Buffer.alloc(SIZE)))
    expect(gapsOf(await auditorOf(model)())).toEqual([`${nameAt(model, 3)} zeros`])
  })

  it.each<[string, (packed: Buffer) => Buffer, shallow: string[], deep: string]>([
    ['are no archive of that format', () => Buffer.alloc(500, 'x'), ['not-unpacked'], 'not-unpacked'],
    ['are cut off within the first page', packed => packed.subarray(0, 20), ['not-unpacked'], 'not-unpacked'],
    // How long it would be is known only to who unpacks all of it.
    ['are cut off behind it', packed => packed.subarray(0, -10), [], 'not-unpacked'],
    ['hold too little', () => gzipSync(written().contents()[3]?.bytes.subarray(0, -1) ?? ''), [], 'wrong-size'],
  ])('that %s are told', async (_, edit, shallow, deep) => {
    const model = written()
    await store(model, bytes => gzipSync(bytes), '.gz')
    const name = `wal/${model.segments[3]}.gz`
    await volume.write(name, edit(await volume.read(name)))
    expect(gapsOf(await auditorOf(model)())).toEqual(shallow.map(kind => `${nameAt(model, 3)} ${kind}`))
    const audit = await auditorOf(model, true)()
    expect(gapsOf(audit)).toEqual([`${nameAt(model, 3)} ${deep}`])
    expect(audit.recoverableTo).toEqual(model.segments[3]?.start)
  })
})

it('takes what has gone since the archive was listed for no damage', async () => {
  const model = written()
  await store(model)
  const contents = await readContents([archive])
  class Vanishing extends EmbeddedVolume {
    override async read(file: string, into?: Buffer): Promise<Buffer> {
      await this.remove(file)
      return super.read(file, into)
    }
  }
  const vanishing = new WalArchive(new Vanishing('archive', volume.path, undefined), SIZE)
  const auditor = new ArchiveAuditor([vanishing], { systemIdentifier: model.systemIdentifier, deep: true })
  expect(await auditor.audit({ ...contents, ...inputOf(model) })).toMatchObject({ verdict: 'recoverable', gaps: [] })
})

it('looks into the file that recovery takes: of the first archive that has it, and plain before compressed', async () => {
  const model = written()
  await store(model)
  const { systemIdentifier } = model
  const second = new WalArchive(new EmbeddedVolume('second', `${volume.path}-2`, undefined), SIZE)
  await second.create()
  const damaged = Buffer.alloc(SIZE)
  await second.volume.write(`wal/${model.segments[3]}`, damaged)
  await volume.write(`wal/${model.segments[4]}.gz`, gzipSync(damaged))
  const audit = async (archives: WalArchive[]) =>
    new ArchiveAuditor(archives, { systemIdentifier }).audit({ ...(await readContents(archives)), ...inputOf(model) })
  expect(gapsOf(await audit([archive, second]))).toEqual([])
  expect(gapsOf(await audit([second, archive]))).toEqual([`${nameAt(model, 3)} zeros`])
})
