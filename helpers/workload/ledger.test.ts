import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import { type Intent, Ledger, type Moment, type Outcome, type SnapshotBounds } from './ledger.ts'

const lsn = (position: number) => Lsn.fromBytes(BigInt(position))
const time = (microseconds: number) => `2026-11-23 00:00:00.${String(microseconds).padStart(6, '0')}+00`
const rows = (key: string, table = 'jobs', count = 1) => ({ table, key, rows: count, checksum: 1n })

function intent(key: string, before: number, more: Partial<Intent> = {}): Intent {
  return { key, actor: 'test', xid: key, before: lsn(before), atBefore: time(before), inserted: [rows(key)], ...more }
}

/** A ledger with commits given as key, before, after; one that was never acknowledged has no after. */
function ledgerOf(...commits: [key: string, before: number, after?: number, more?: Partial<Intent>][]): Ledger {
  const ledger = new Ledger()
  for (const [key, before, after, more] of commits) {
    ledger.sending(intent(key, before, more))
    if (after !== undefined) ledger.acknowledge(key, { after: lsn(after), at: time(after) })
  }
  return ledger
}

const outcomeOf = (ledger: Ledger, key: string, moment: Moment) =>
  (['must', 'mustNot', 'may'] as const).find(outcome =>
    ledger.at(moment).commits[outcome].some(commit => commit.key === key),
  )
const rowsOutcomeOf = (ledger: Ledger, key: string, moment: Moment) =>
  (['must', 'mustNot', 'may'] as const).find(outcome =>
    ledger.at(moment).rows[outcome].some(({ group }) => group.key === key),
  )

describe('at an LSN, exclusive', () => {
  const at = (position: number) => outcomeOf(ledgerOf(['a', 100, 200]), 'a', { lsn: lsn(position), inclusive: false })

  test('a commit must be there from its acknowledgement on', () => expect([at(200), at(201)]).toEqual(['must', 'must']))
  test('a commit must not be there up to where it was sent', () =>
    expect([at(99), at(100)]).toEqual(['mustNot', 'mustNot']))
  test('in between it may be either', () => expect([at(101), at(199)]).toEqual(['may', 'may']))
  test('a commit that was never acknowledged is never promised', () => {
    const ledger = ledgerOf(['a', 100])
    expect(outcomeOf(ledger, 'a', { lsn: lsn(9_999), inclusive: false })).toBe('may')
    expect(outcomeOf(ledger, 'a', { lsn: lsn(100), inclusive: false })).toBe('mustNot')
  })
})

describe('at an LSN, inclusive', () => {
  const at = (target: number, stoppedAfter: number) =>
    outcomeOf(ledgerOf(['a', 100, 200]), 'a', { lsn: lsn(target), inclusive: true, stoppedAfter: lsn(stoppedAfter) })

  test('the record that recovery stopped after is the bound, not the target', () =>
    expect([at(90, 200), at(90, 150)]).toEqual(['must', 'may']))
  test('a commit record that starts right where recovery stopped may be the one that was replayed', () =>
    expect(at(100, 100)).toBe('may'))
  test('a commit sent later must not be there', () => expect(at(90, 99)).toBe('mustNot'))
  test('a stop before the target is refused', () => expect(() => at(101, 100)).toThrow(RangeError))
})

describe('at a time', () => {
  const at = (text: string) => outcomeOf(ledgerOf(['a', 100, 200]), 'a', { time: text })

  test('the band lies between the clock before sending and the clock after the acknowledgement', () =>
    expect([at(time(99)), at(time(100)), at(time(200)), at(time(201))]).toEqual(['mustNot', 'may', 'may', 'must']))
  test('another offset is the same moment', () => expect(at('2026-11-23 05:30:00.000201+05:30')).toBe('must'))
  test('a time without an offset is refused', () => expect(() => at('2026-11-23 00:00:00')).toThrow(RangeError))
})

describe('at an xid', () => {
  const ledger = ledgerOf(['earlier', 10, 100], ['overlapping', 90, 150], ['target', 100, 200], ['later', 200, 300])
  const all = (inclusive: boolean) =>
    ledger.commits.map(({ key }) => outcomeOf(ledger, key, { xid: 'target', inclusive }))

  test('that commit bounds the others, whatever their xids', () =>
    expect(all(true)).toEqual(['must', 'may', 'must', 'mustNot']))
  test('exclusive, it is not there itself', () => expect(all(false)).toEqual(['must', 'may', 'mustNot', 'mustNot']))
  test('an xid that is none of the ledger cannot be placed', () =>
    expect(() => ledger.at({ xid: '7', inclusive: true })).toThrow(RangeError))
})

test('at the end of an archive all that was acknowledged within it must be there, and the rest may', () => {
  const ledger = ledgerOf(['a', 10, 100], ['b', 100, 200])
  expect(ledger.commits.map(({ key }) => outcomeOf(ledger, key, { latest: { archivedUpTo: lsn(150) } }))).toEqual([
    'must',
    'may',
  ])
})

describe('rows that were deleted', () => {
  const everything = (statementFrom: number): Partial<Intent> => ({
    inserted: [],
    deleted: { tables: ['jobs'], statementFrom: lsn(statementFrom) },
  })
  const ledger = ledgerOf(['a', 10, 100], ['b', 110, 130], ['delete', 200, 250, everything(120)], ['c', 300, 350])
  const at = (position: number) =>
    ['a', 'b', 'c'].map(key => rowsOutcomeOf(ledger, key, { lsn: lsn(position), inclusive: false }))

  test('are there before it', () => expect(at(200)).toEqual(['must', 'must', 'mustNot']))
  test('are gone after it when it is sure to have seen them', () => expect(at(400)).toEqual(['mustNot', 'may', 'must']))
  test('may be either while it is in flight', () => expect(at(225)).toEqual(['may', 'may', 'mustNot']))
  test('of another table stay', () => {
    const other = ledgerOf(['a', 10, 100, { inserted: [rows('a', 'drivers')] }], ['delete', 200, 250, everything(120)])
    expect(rowsOutcomeOf(other, 'a', { lsn: lsn(400), inclusive: false })).toBe('must')
  })
})

describe('a branch', () => {
  const parted = { lsn: lsn(150), inclusive: false } as const
  const branchOf = (...commits: Parameters<typeof ledgerOf>) => {
    const branch = ledgerOf(['kept', 10, 100], ['in flight', 120, 180], ['left', 160, 200]).branch(parted)
    for (const [key, before, after, more] of commits) {
      branch.sending(intent(key, before, more))
      if (after !== undefined) branch.acknowledge(key, { after: lsn(after), at: time(after) })
    }
    return branch
  }

  test('begins with what was promised or undecided where it parted, and goes on by itself', () => {
    const branch = branchOf(['new', 160, 170])
    const at = { lsn: lsn(400), inclusive: false } as const
    expect(branch.commits.map(({ key }) => [key, outcomeOf(branch, key, at)])).toEqual([
      ['kept', 'must'],
      ['in flight', 'may'],
      ['new', 'must'],
    ])
  })
  test('takes for a transaction the one of its own timeline, should an older one have had the number', () => {
    const branch = branchOf(['new', 190, 220, { xid: 'in flight' }], ['newer', 220, 240])
    expect(branch.commits.map(({ key }) => outcomeOf(branch, key, { xid: 'in flight', inclusive: true }))).toEqual([
      'must',
      'may',
      'must',
      'mustNot',
    ])
  })
  test('of a branch knows what was left behind twice', () => {
    const second = branchOf(['new', 160, 170], ['lost again', 300, 400]).branch({ lsn: lsn(200), inclusive: false })
    expect(second.commits.map(({ key }) => key)).toEqual(['kept', 'in flight', 'new'])
  })
  test('counts since a snapshot on it no row that was left behind', () => {
    const branch = ledgerOf(['kept', 10, 100], ['left', 160, 200]).branch(parted)
    branch.sending(intent('new', 300))
    branch.acknowledge('new', { after: lsn(400), at: time(400) })
    const since = branch.countsSince({ from: lsn(120), to: lsn(120) }, { lsn: lsn(500), inclusive: false })
    expect(since.get('jobs')).toEqual({ lower: 1, upper: 1 })
  })

  test('says of a moment after the parting what a server does that replayed to it and then on', () => {
    // A server as a set of keys: replay takes what ended by the LSN where the timelines part, and then new commits alone.
    const position = fc.integer({ min: 0, max: 1_000 })
    // Where a band begins, how long it is, and where in it the commit record stands.
    const band = fc
      .tuple(position, fc.integer({ min: 1, max: 50 }), fc.nat())
      .map(([before, length, place]) => [before, length, place % length] as const)
    const bands = fc.array(band, { maxLength: 12 })
    fc.assert(
      fc.property(bands, bands, position, position, (old, recent, partedAt, offset) => {
        const parent = ledgerOf(
          ...old.map(([before, length], n) => [`old ${n}`, before, before + length] as [string, number, number]),
        )
        const branch = parent.branch({ lsn: lsn(partedAt), inclusive: false })
        const held = new Set(old.flatMap(([before, , place], n) => (before + place < partedAt ? [`old ${n}`] : [])))
        recent.forEach(([start, length, place], n) => {
          const before = partedAt + start
          branch.sending(intent(`new ${n}`, before))
          branch.acknowledge(`new ${n}`, { after: lsn(before + length), at: time(before) })
          if (before + place < partedAt + offset) held.add(`new ${n}`)
        })
        const { commits } = branch.at({ lsn: lsn(partedAt + offset), inclusive: false })
        expect(commits.must.every(({ key }) => held.has(key))).toBe(true)
        expect(commits.mustNot.some(({ key }) => held.has(key))).toBe(false)
        expect(branch.commits.length).toBeGreaterThanOrEqual(held.size)
      }),
    )
  })
})

describe('counts since a snapshot', () => {
  const ledger = ledgerOf(['a', 10, 100], ['b', 100, 200, { inserted: [rows('b', 'jobs', 3)] }])
  const since = (snapshot: SnapshotBounds) =>
    ledger.countsSince(snapshot, { lsn: lsn(200), inclusive: false }).get('jobs')

  test('are exact where no commit was in flight', () =>
    expect(since({ from: lsn(5), to: lsn(10) })).toEqual({ lower: 4, upper: 4 }))
  test('leave out what the snapshot held already', () =>
    expect(since({ from: lsn(101), to: lsn(150) })).toEqual({ lower: 0, upper: 3 }))
  test('are bounds where commits were in flight', () =>
    expect(since({ from: lsn(50), to: lsn(101) })).toEqual({ lower: 0, upper: 4 }))
  test('are not sure of a commit that ended where the snapshot began, unless nothing was in progress', () => {
    expect(since({ from: lsn(100), to: lsn(100) })).toEqual({ lower: 3, upper: 4 })
    expect(since({ from: lsn(100), to: lsn(100), nothingInProgress: true })).toEqual({ lower: 3, upper: 3 })
  })
})

test('a key is promised once', () => expect(() => ledgerOf(['a', 1], ['a', 2])).toThrow(RangeError))
test('an acknowledgement without a commit, or from before it, is refused', () => {
  expect(() => ledgerOf().acknowledge('a', { after: lsn(1), at: time(1) })).toThrow(RangeError)
  expect(() => ledgerOf(['a', 10, 9])).toThrow(RangeError)
})

/**
 * The slow and obvious model: a server that does one thing at a time, in an order that fast-check chooses. It knows what
 * the ledger does not: where each commit record really starts and when the transaction became visible.
 */
type Step = 'begin' | 'statement' | 'send' | 'stamp' | 'write' | 'appear' | 'acknowledge'
interface Transaction {
  deletes: boolean
  /** Of its steps, how many it takes: cut off before its end. */
  cutAfter: number
  recordBytes: number
}
interface Actual {
  key: string
  start: number
  committedAt: number
  saw: Set<string>
  rowsIn: boolean
}

const transactions = fc.array(
  fc.record({
    deletes: fc.nat(3).map(one => one === 0),
    cutAfter: fc.oneof(
      { weight: 4, arbitrary: fc.constant(9) },
      { weight: 1, arbitrary: fc.integer({ min: 2, max: 5 }) },
    ),
    recordBytes: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 6 },
)

function run(plan: Transaction[], order: number[]) {
  const ledger = new Ledger()
  const visible = new Set<string>()
  const actual: Actual[] = []
  const inProgress = new Set<string>()
  const snapshots: { from: number; to: number; visible: Set<string>; nothingInProgress: boolean }[] = []
  let position = 1
  let clock = 1
  let lastRead = position
  const states = plan.map((transaction, index) => {
    const steps: Step[] = transaction.deletes
      ? ['begin', 'statement', 'send', 'stamp', 'write', 'appear', 'acknowledge']
      : ['send', 'stamp', 'write', 'appear', 'acknowledge']
    return {
      ...transaction,
      key: String(index),
      steps: steps.slice(0, transaction.cutAfter),
      statementFrom: 0,
      saw: new Set<string>(),
      stamp: 0,
    }
  })
  const acts: Record<Step, (state: (typeof states)[number]) => void> = {
    begin: state => {
      position++ // the WAL of its own that a deletion writes first
      state.statementFrom = position
      inProgress.add(state.key)
    },
    statement: state => {
      state.saw = new Set(visible)
    },
    send: state => {
      inProgress.add(state.key)
      const deleted = state.deletes ? { deleted: { tables: ['jobs'], statementFrom: lsn(state.statementFrom) } } : {}
      ledger.sending({
        ...intent(state.key, position, { inserted: state.deletes ? [] : [rows(state.key)], ...deleted }),
        atBefore: time(clock),
      })
    },
    stamp: state => {
      state.stamp = clock
    },
    write: state => {
      actual.push({ key: state.key, start: position, committedAt: state.stamp, saw: state.saw, rowsIn: !state.deletes })
      position += state.recordBytes
    },
    appear: state => {
      visible.add(state.key)
      inProgress.delete(state.key)
    },
    acknowledge: state => {
      ledger.acknowledge(state.key, { after: lsn(position), at: time(clock) })
    },
  }
  for (const choice of order) {
    clock++
    const busy = states.filter(state => state.steps.length > 0)
    const state = busy[choice % (busy.length + 2)]
    if (state) acts[state.steps.shift() ?? 'send'](state)
    else if (choice % (busy.length + 2) === busy.length)
      position++ // WAL of somebody else
    else
      snapshots.push({
        from: lastRead,
        to: position,
        visible: present(actual.filter(({ key }) => visible.has(key))),
        nothingInProgress: inProgress.size === 0,
      })
    // Reads of the LSN lie on either side of a snapshot, with anything in between.
    if (choice % 4 === 0) lastRead = position
    for (const snapshot of snapshots.slice(-1)) if (choice % 3 === 0) snapshot.to = position
  }
  return { ledger, actual, position, clock, snapshots }
}

/** Whose rows are there when exactly these commits have happened. */
function present(happened: Actual[]): Set<string> {
  const gone = new Set(happened.flatMap(({ saw }) => [...saw]))
  return new Set(happened.filter(({ key, rowsIn }) => rowsIn && !gone.has(key)).map(({ key }) => key))
}

const histories = fc.tuple(transactions, fc.array(fc.nat(1_000), { minLength: 20, maxLength: 80 }))

/** Every moment of a history, with the commits that a recovery to it replays. */
function* moments({
  ledger,
  actual,
  position,
  clock,
}: ReturnType<typeof run>): Generator<{ moment: Moment; happened: Actual[] }> {
  for (let target = 0; target <= position + 1; target++) {
    yield { moment: { lsn: lsn(target), inclusive: false }, happened: actual.filter(({ start }) => start < target) }
    const stoppedAfter = actual.find(({ start }) => start >= target)?.start ?? target
    yield {
      moment: { lsn: lsn(target), inclusive: true, stoppedAfter: lsn(stoppedAfter) },
      happened: actual.filter(({ start }) => start <= stoppedAfter),
    }
    yield { moment: { latest: { archivedUpTo: lsn(target) } }, happened: actual.filter(({ start }) => start < target) }
  }
  for (let target = 0; target <= clock + 1; target++) {
    for (const stops of [
      (committedAt: number) => committedAt > target,
      (committedAt: number) => committedAt >= target,
    ]) {
      const end = actual.findIndex(({ committedAt }) => stops(committedAt))
      yield { moment: { time: time(target) }, happened: end < 0 ? actual : actual.slice(0, end) }
    }
  }
  for (const [index, { key }] of actual.entries()) {
    if (!ledger.commits.some(commit => commit.key === key)) continue
    for (const inclusive of [true, false])
      yield { moment: { xid: key, inclusive }, happened: actual.slice(0, inclusive ? index + 1 : index) }
  }
}

function contradictions(outcomes: Iterable<[string, Outcome]>, really: Set<string>): string[] {
  return [...outcomes].flatMap(([key, outcome]) =>
    outcome !== 'may' && (outcome === 'must') !== really.has(key) ? [`${key} ${outcome}`] : [],
  )
}

describe('against every moment of any concurrent history', () => {
  test('what must be there is, and what must not be is not', () => {
    fc.assert(
      fc.property(histories, ([plan, order]) => {
        const history = run(plan, order)
        for (const { moment, happened } of moments(history)) {
          const { commits, rows } = history.ledger.at(moment)
          const entries = Object.entries(commits) as [Outcome, { key: string }[]][]
          expect(
            contradictions(
              entries.flatMap(([outcome, some]) => some.map(({ key }): [string, Outcome] => [key, outcome])),
              new Set(happened.map(({ key }) => key)),
            ),
          ).toEqual([])
          expect(
            contradictions(
              Object.values(rows)
                .flat()
                .map(({ group, outcome }): [string, Outcome] => [group.key, outcome]),
              present(happened),
            ),
          ).toEqual([])
        }
      }),
      { numRuns: 150 },
    )
  })

  test('a commit is undecided only within its own band', () => {
    fc.assert(
      fc.property(histories, ([plan, order]) => {
        const { ledger, position } = run(plan, order)
        for (let target = 0; target <= position; target++) {
          for (const { before, after } of ledger.at({ lsn: lsn(target), inclusive: false }).commits.may) {
            expect(before.isBefore(lsn(target)) && !after?.isAtOrBefore(lsn(target))).toBe(true)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  test('the rows gained since a snapshot lie within the bounds', () => {
    fc.assert(
      fc.property(histories, ([plan, order]) => {
        const history = run(plan, order)
        for (const { from, to, visible, nothingInProgress } of history.snapshots) {
          for (const { moment, happened } of moments(history)) {
            const { lower, upper } = history.ledger
              .countsSince({ from: lsn(from), to: lsn(to), nothingInProgress }, moment)
              .get('jobs') ?? { lower: 0, upper: 0 }
            const gained = present(happened).size - visible.size
            expect(lower <= gained && gained <= upper, `${lower} ≤ ${gained} ≤ ${upper}`).toBe(true)
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})
