import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { checkWal } from './wal-check.ts'
import { WalDamage } from './wal-damage.ts'
import { WalModel } from './wal-model.ts'
import { type SegmentContent, type WalOrigin, WalReader } from './wal-reader.ts'
import type { WalRecord } from './wal-record.ts'

const PAGE_BYTES = 8192

type Write = (model: WalModel) => void

/** From nothing but a header to more than a segment. */
const dataBytes = fc.oneof(
  { weight: 20, arbitrary: fc.nat(300) },
  { weight: 6, arbitrary: fc.integer({ min: 7000, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1_000_000, max: 1_300_000 }) },
)
const record = fc
  .record({
    bytes: dataBytes,
    fill: fc.nat(255),
    xid: fc.nat(0xffff_ffff),
    resourceManager: fc.integer({ min: 1, max: 255 }),
    info: fc.nat(255),
  })
  .map(
    ({ bytes, fill, ...rest }): Write =>
      model =>
        model.append({ ...rest, data: Buffer.alloc(bytes, fill) }),
  )
const segmentSwitch = fc.constant<Write>(model => model.switchSegment())
const writes = fc.array(fc.oneof({ weight: 30, arbitrary: record }, { weight: 1, arbitrary: segmentSwitch }), {
  minLength: 1,
  maxLength: 80,
})
const start = fc.record({
  firstSegment: fc.bigInt({ min: 1n, max: 1n << 43n }),
  remainderBytes: fc.oneof(fc.constant(0), fc.nat(30_000), fc.nat(1_200_000)),
})

/** Ends in a segment that is switched away from, with a page to spare: nothing in it can pass for going on behind it. */
function modelOf(beginning: ConstructorParameters<typeof WalModel>[0], all: readonly Write[]): WalModel {
  const model = new WalModel(beginning)
  for (const write of all) write(model)
  model.append({ data: Buffer.alloc(2 * model.segmentSizeBytes), xid: 0, resourceManager: 1, info: 0 })
  model.switchSegment()
  return model
}

async function check(contents: readonly SegmentContent[], origin: Partial<WalOrigin> = {}) {
  async function* source() {
    yield* contents
  }
  return await checkWal(source(), { systemIdentifier: new WalModel().systemIdentifier, ...origin })
}

function read(contents: readonly SegmentContent[], from?: Lsn): WalRecord[] {
  const reader = new WalReader({ systemIdentifier: new WalModel().systemIdentifier, ...(from ? { from } : {}) })
  const records: WalRecord[] = []
  for (const content of contents) reader.read(content, one => records.push(one))
  return records
}

function flip(bytes: Buffer, at: number, bit: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at)
}

/** Four bytes that pad the header of a page, and the flag that only tells whether a page may be compressed. */
function meansNothing(at: number, bit: number): boolean {
  const inPage = at % PAGE_BYTES
  return (inPage >= 20 && inPage < 24) || (inPage === 2 && bit === 2)
}

describe('WAL is read as it was written', () => {
  test('whatever the lengths of its records, wherever it begins', () => {
    fc.assert(
      fc.property(start, writes, (beginning, all) => {
        const model = modelOf(beginning, all)
        expect(read(model.contents())).toEqual(model.records)
      }),
      { numRuns: 60 },
    )
  })

  test('with the first bytes of what each record holds, in however many pieces it lies', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(dataBytes, fc.nat(255)), { minLength: 1, maxLength: 60 }), all => {
        const model = new WalModel()
        for (const [bytes, fill] of all)
          model.append({ xid: 5, resourceManager: 10, info: fill, data: Buffer.alloc(bytes, fill) })
        model.switchSegment()
        const beginnings: string[] = []
        const reader = new WalReader({ systemIdentifier: model.systemIdentifier })
        for (const content of model.contents()) reader.read(content, (_, data) => beginnings.push(data.toString('hex')))
        expect(beginnings.slice(0, -1)).toEqual(
          all.map(([bytes, fill]) => Buffer.alloc(Math.min(bytes, 40), fill).toString('hex')),
        )
      }),
      { numRuns: 40 },
    )
  })

  test('from each of its records on', () => {
    fc.assert(
      fc.property(start, writes, fc.nat(), (beginning, all, chosen) => {
        const model = modelOf(beginning, all)
        const index = chosen % model.records.length
        const from = present(model.records[index]).lsn
        const contents = model.contents().filter(({ segment }) => from.isBefore(segment.end))
        expect(read(contents, from)).toEqual(model.records.slice(index))
      }),
      { numRuns: 40 },
    )
  })

  test('over a record that was given up after a crash, also where that begins before the first segment', () => {
    const model = new WalModel({ remainderBytes: 1000 })
    model.append({ data: Buffer.alloc(100), xid: 5, resourceManager: 10, info: 0 })
    model.giveUp(3)
    model.append({ data: Buffer.alloc(100), xid: 6, resourceManager: 10, info: 0 })
    // So many pages as lead to the next segment.
    const { endLsn } = present(model.records.at(-1))
    model.giveUp(128 - Number((endLsn.bytes % BigInt(model.segmentSizeBytes)) / BigInt(PAGE_BYTES)))
    model.switchSegment()
    expect(read(model.contents())).toEqual(model.records)
    expect(model.contents()).toHaveLength(2)
    expect(read(model.contents().slice(1))).toEqual(model.records.slice(-2))
  })

  test('over a change of timeline, within a segment and between two', () => {
    const model = new WalModel({ timeline: 2 })
    const append = (bytes: number) => model.append({ data: Buffer.alloc(bytes), xid: 5, resourceManager: 10, info: 0 })
    append(30_000)
    model.promote()
    append(100)
    append(1_500_000)
    model.switchSegment()
    model.promote()
    append(30_000)
    model.switchSegment()
    expect(model.segments.map(({ timeline }) => timeline)).toEqual([3, 3, 4])
    expect(read(model.contents())).toEqual(model.records)
  })
})

describe('the end of WAL', () => {
  /** A segment and a half, of which the second was used before: its pages are of two segments earlier. */
  function unfinished(): { model: WalModel; contents: SegmentContent[]; end: number } {
    const model = new WalModel({ firstSegment: 3n })
    for (let index = 0; index < 75; index++) {
      model.append({ data: Buffer.alloc(20_000, index + 1), xid: index, resourceManager: 10, info: 0 })
    }
    const contents = model.contents()
    const last = present(contents.at(-1))
    last.isUnfinished = true
    const end = Number(present(model.records.at(-1)).endLsn.minus(last.segment.start))
    return { model, contents, end }
  }

  function recycle({ bytes }: SegmentContent, end: number): void {
    const old = present(new WalModel({ firstSegment: 2n, remainderBytes: 1_000_000 }).contents()[0]).bytes
    const firstOld = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES
    old.copy(bytes, firstOld, firstOld)
  }

  test.each(['zeros', 'a recycled segment'])('in an unfinished segment is where %s begins', async behind => {
    const { model, contents, end } = unfinished()
    if (behind !== 'zeros') recycle(present(contents.at(-1)), end)
    expect(await check(contents)).toEqual({ records: 75, endLsn: model.records.at(-1)?.endLsn })
  })

  test.each([
    ['zeros', 'zeros'],
    ['a recycled segment', 'zeros'],
  ])('is damage where the segment should be finished: %s', async (behind, kind) => {
    const { contents, end } = unfinished()
    const last = present(contents.at(-1))
    if (behind !== 'zeros') recycle(last, end)
    last.isUnfinished = false
    expect(await check(contents)).toMatchObject({ records: 75, damage: { kind, segment: last.segment } })
  })

  test('may be within a record, of which the rest is not written', async () => {
    const { model, contents, end } = unfinished()
    const last = present(contents.at(-1))
    last.bytes.fill(0, end - (end % PAGE_BYTES) - PAGE_BYTES)
    expect(await check(contents)).toEqual({ records: 74, endLsn: model.records.at(-2)?.endLsn })
  })

  test('may be in an unfinished segment that nothing was written to', async () => {
    const { contents } = unfinished()
    const last = present(contents.at(-1))
    last.bytes.fill(0)
    expect(await check(contents)).not.toHaveProperty('damage')
  })

  test('is a record that goes on behind the last segment, which is not read', async () => {
    const { model, contents } = unfinished()
    const ofFirst = model.records.filter(({ endLsn }) => endLsn.isAtOrBefore(present(contents[0]).segment.end))
    expect(read(contents.slice(0, 1))).toEqual(ofFirst)
    expect(ofFirst.length).toBeLessThan(75)
  })

  test('is none where WAL goes on behind it: a page that is lost in an unfinished segment is damage', async () => {
    const { contents, end } = unfinished()
    const last = present(contents.at(-1))
    const lost = end - (end % PAGE_BYTES) - 3 * PAGE_BYTES
    last.bytes.fill(0, lost, lost + PAGE_BYTES)
    expect(await check(contents)).toMatchObject({
      damage: { kind: 'zeros', lsn: last.segment.start.plus(BigInt(lost)) },
    })
  })

  test('in an unfinished segment of another cluster is damage', async () => {
    const { contents } = unfinished()
    expect(await check(contents.slice(-1), { systemIdentifier: '1' })).toMatchObject({
      records: 0,
      damage: { kind: 'other-cluster' },
    })
  })

  test('comes before any other segment', () => {
    const { contents } = unfinished()
    const last = present(contents.at(-1))
    const behind = { segment: last.segment.next, bytes: last.bytes }
    expect(() => read([...contents, behind])).toThrow(`WAL has ended in ${last.segment}`)
  })
})

describe('damage is found', () => {
  test('wherever a bit of a record or of a page is flipped', async () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 8, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: 1n, max: 1n << 43n }), writes, flips, async (firstSegment, all, chosen) => {
        const contents = modelOf({ firstSegment }, all).contents()
        // Not all lie where anything is: the first and last segments have little in them, or much.
        const places = chosen.flatMap(([place, bit]) => {
          const content = present(contents[place % contents.length])
          const at = Math.floor(place / contents.length) % new WalModel().segmentSizeBytes
          return content.used[at] === 1 && !meansNothing(at, bit) ? [{ content, at, bit }] : []
        })
        for (const { content, at, bit } of places) {
          flip(content.bytes, at, bit)
          expect((await check(contents)).damage, `bit ${bit} of byte ${at} of ${content.segment}`).toBeInstanceOf(
            WalDamage,
          )
          flip(content.bytes, at, bit)
        }
        expect((await check(contents)).damage).toBeUndefined()
      }),
      { numRuns: 40 },
    )
  })

  test('in each bit of the headers of a page and of the record on it', async () => {
    const model = modelOf({}, [one => one.append({ data: Buffer.alloc(9000), xid: 5, resourceManager: 10, info: 0 })])
    const contents = model.contents()
    const { bytes } = present(contents[0])
    const places = [...range(0, 40 + 24), ...range(PAGE_BYTES, PAGE_BYTES + 24)]
    const unseen: string[] = []
    for (const at of places) {
      for (const bit of range(0, 8)) {
        flip(bytes, at, bit)
        const { damage } = await check(contents)
        flip(bytes, at, bit)
        if (!damage) unseen.push(`${at}.${bit}`)
      }
    }
    const meaningless = places.flatMap(at =>
      range(0, 8).flatMap(bit => (meansNothing(at, bit) ? [`${at}.${bit}`] : [])),
    )
    expect(unseen).toEqual(meaningless)
  })

  test('wherever a file is cut off, or its end lost', async () => {
    await fc.assert(
      fc.asyncProperty(writes, fc.nat(), fc.nat(1024 * 1024 - 1), async (all, chosen, length) => {
        const contents = modelOf({}, all).contents()
        const content = present(contents[chosen % contents.length])
        const whole = content.bytes
        content.bytes = whole.subarray(0, length)
        expect(await check(contents)).toMatchObject({
          damage: { kind: 'wrong-size', segment: content.segment, lsn: content.segment.start.plus(BigInt(length)) },
        })
        content.bytes = Buffer.concat([content.bytes, Buffer.alloc(whole.length - length)])
        expect((await check(contents)).damage === undefined).toBe(content.bytes.equals(whole))
      }),
      { numRuns: 40 },
    )
  })

  test('where two segments have each other’s names', async () => {
    await fc.assert(
      fc.asyncProperty(writes, fc.nat(), fc.nat(), async (all, one, other) => {
        const contents = modelOf({}, all).contents()
        const [a, b] = [present(contents[one % contents.length]), present(contents[other % contents.length])]
        fc.pre(a !== b)
        ;[a.bytes, b.bytes] = [b.bytes, a.bytes]
        const first = a.segment.start.isBefore(b.segment.start) ? a : b
        expect((await check(contents)).damage).toMatchObject({ kind: 'other-position', segment: first.segment })
      }),
      { numRuns: 30 },
    )
  })

  test('where a segment is of a history that went another way: its first record follows another one', async () => {
    const write = (bytes: number) =>
      modelOf({}, [
        one => one.append({ data: Buffer.alloc(bytes), xid: 5, resourceManager: 10, info: 0 }),
        one => one.switchSegment(),
      ])
    const [ours, theirs] = [write(100), write(200)].map(model => model.contents())
    expect((await check([...(ours ?? []).slice(0, 1), ...(theirs ?? []).slice(1)])).damage).toMatchObject({
      kind: 'wrong-previous',
      segment: ours?.[1]?.segment,
    })
  })

  test.each([
    ['goes back', [3, 2]],
    ['is none', [0, 3]],
    ['is later than the name says', [4, 4]],
  ])('in a page of which the timeline %s', async (_, timelines) => {
    const contents = modelOf({ timeline: 3 }, []).contents()
    for (const [index, timeline] of timelines.entries()) present(contents[index]).bytes.writeUInt32LE(timeline, 4)
    expect((await check(contents)).damage).toMatchObject({ kind: 'other-timeline' })
  })

  test('where a segment that is not the first of its timeline is of an older one', async () => {
    const renamed = modelOf({ timeline: 2 }, [])
      .contents()
      .map(({ segment, bytes }) => ({ segment: segment.onTimeline(3), bytes }))
    expect((await check(renamed)).damage).toMatchObject({ kind: 'other-timeline', segment: renamed[1]?.segment })
  })

  test('where the record that gives up another one names a third', async () => {
    const model = new WalModel()
    model.giveUp(2)
    model.switchSegment()
    const contents = model.contents()
    const { segment, bytes } = present(contents[0])
    const lsnAt = Number(present(model.records[0]).lsn.minus(segment.start)) + 26
    flip(bytes, lsnAt, 4)
    expect((await check(contents)).damage).toMatchObject({ kind: 'wrong-overwrite' })
  })

  test('and told of with segment, position and kind, in a sentence', async () => {
    const model = modelOf({}, [one => one.append({ data: Buffer.alloc(100), xid: 5, resourceManager: 10, info: 0 })])
    const contents = model.contents()
    flip(present(contents[0]).bytes, 100, 3)
    const { damage } = await check(contents)
    expect(damage).toMatchObject({
      kind: 'wrong-checksum',
      message: 'in 000000010000000000000001 at 0/100028, the record has another checksum than it says',
      evidence: { segment: '000000010000000000000001', lsn: '0/100028' },
    })
  })

  test('before the records behind it are given out, and after those before it', () => {
    const append: Write = one => one.append({ data: Buffer.alloc(100), xid: 5, resourceManager: 10, info: 0 })
    const model = modelOf({}, [append, append, append])
    const content = present(model.contents()[0])
    flip(content.bytes, Number(present(model.records[2]).lsn.minus(content.segment.start)), 3)
    const seen: WalRecord[] = []
    const reader = new WalReader({ systemIdentifier: model.systemIdentifier })
    expect(() => reader.read(content, one => seen.push(one))).toThrow(WalDamage)
    expect(seen).toEqual(model.records.slice(0, 2))
  })
})

describe('what is asked for must make sense', () => {
  const model = modelOf({}, [])
  const contents = model.contents()

  test.each(['0/FFFFF', '0/300000', '0/100010', '0/100029', '0/102008'])('no record can begin at %s', from => {
    expect(() => read(contents.slice(0, 1), Lsn.parse(from))).toThrow(RangeError)
  })

  test('a segment that does not follow the one before is none of its WAL', () => {
    const [first, third] = [present(contents[0]), present(contents[2])]
    expect(() => read([first, third])).toThrow(`${third.segment} does not follow ${first.segment}`)
  })

  test('an error of the source is not damage', async () => {
    async function* broken(): AsyncGenerator<SegmentContent> {
      yield present(contents[0])
      throw new Error('the archive is gone')
    }
    await expect(checkWal(broken(), { systemIdentifier: model.systemIdentifier })).rejects.toThrow(
      'the archive is gone',
    )
  })
})

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none')
  return value
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}
