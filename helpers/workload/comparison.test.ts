import { describe, expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import { compareWithLedger, comparisonFailure, type LedgerTable } from './comparison.ts'
import { Ledger, type RowGroup } from './ledger.ts'

const at = (position: number) => Lsn.fromBytes(BigInt(position))
const tables: LedgerTable[] = ['jobs', 'events'].map(table => ({ table, key: 'key', columns: ['key'], from: table }))
const rows = (table: string, key: string, count = 2, checksum = 7n): RowGroup => ({ table, key, rows: count, checksum })
const both = (key: string): RowGroup[] => [rows('jobs', key), rows('events', key)]

/** At 150: `promised` must be there, `undecided` may, `later` must not. */
function ledger(): Ledger {
  const book = new Ledger()
  for (const [key, before, after] of [
    ['promised', 10, 100],
    ['undecided', 100, 200],
    ['later', 200, 300],
  ] as const) {
    book.sending({
      key,
      actor: 'test',
      xid: key,
      before: at(before),
      atBefore: '2026-11-23 00:00:00+00',
      inserted: both(key),
    })
    book.acknowledge(key, { after: at(after), at: '2026-11-23 00:00:00+00' })
  }
  return book
}

async function compare(...held: RowGroup[]) {
  const answers = held.map(({ table, key, rows: count, checksum }) => ({
    table,
    key,
    rows: String(count),
    checksum: String(checksum),
  }))
  const session = { query: async (sql: string) => (sql.startsWith('SELECT') ? answers : []) } as unknown as Session
  return await compareWithLedger(session, tables, ledger(), { lsn: at(150), inclusive: false })
}
const failureOf = async (...held: RowGroup[]) => comparisonFailure(await compare(...held))

describe('a server is as promised', () => {
  test('when it holds what must be there alone', async () =>
    expect(await failureOf(...both('promised'))).toBeUndefined())
  test('when it holds all of a commit in flight too', async () =>
    expect(await failureOf(...both('promised'), ...both('undecided'))).toBeUndefined())
  test('and what was promised, may be, and is to be entered again is counted', async () => {
    const { discarded, ...counts } = await compare(...both('promised'))
    expect(counts).toMatchObject({
      promisedCommits: 1,
      intactCommits: 1,
      undecidedCommits: 1,
      promisedRows: 4,
      presentRows: 4,
    })
    expect(discarded.map(({ key }) => key)).toEqual(['undecided', 'later'])
  })
  test('and a commit in flight that is there has not to be entered again', async () => {
    const { discarded } = await compare(...both('promised'), ...both('undecided'))
    expect(discarded.map(({ key }) => key)).toEqual(['later'])
  })
})

describe('it is not', () => {
  test('when a promised row is missing', async () =>
    expect(await failureOf(rows('jobs', 'promised', 1), rows('events', 'promised'))).toMatchObject({
      kind: 'rows-missing',
      message: '1 row promised at LSN 0/96 exclusive missing: jobs promised (1 of 2)',
      evidence: { intactCommits: 0 },
    }))
  test('when a whole commit is missing', async () => expect(await failureOf()).toMatchObject({ kind: 'rows-missing' }))
  test('when a row of a later commit is there', async () =>
    expect(await failureOf(...both('promised'), rows('jobs', 'later', 1))).toMatchObject({ kind: 'rows-unexpected' }))
  test('when a promised commit has more rows than were written', async () =>
    expect(await failureOf(rows('jobs', 'promised', 3), rows('events', 'promised'))).toMatchObject({
      kind: 'rows-unexpected',
    }))
  test('when a row is there that nobody wrote', async () =>
    expect(await failureOf(...both('promised'), rows('jobs', 'stranger'))).toMatchObject({ kind: 'rows-unexpected' }))
  test('when a promised row was altered', async () =>
    expect(await failureOf(rows('jobs', 'promised', 2, 8n), rows('events', 'promised'))).toMatchObject({
      kind: 'rows-altered',
    }))
  test('when a commit in flight is there in one table and not in the other', async () =>
    expect(await failureOf(...both('promised'), rows('jobs', 'undecided'))).toMatchObject({
      kind: 'commit-half-present',
    }))
  test('when a commit in flight is there with some of its rows', async () =>
    expect(
      await failureOf(...both('promised'), rows('jobs', 'undecided'), rows('events', 'undecided', 1)),
    ).toMatchObject({ kind: 'commit-half-present' }))
})

test('a table of the ledger that is not read cannot pass', async () => {
  const session = { query: async () => [] } as unknown as Session
  await expect(compareWithLedger(session, tables.slice(1), ledger(), { lsn: at(0), inclusive: false })).rejects.toThrow(
    RangeError,
  )
})
