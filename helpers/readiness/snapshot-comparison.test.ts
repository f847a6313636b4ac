import { describe, expect, test } from 'vitest'
import { compareWithSnapshot, type SeenTable } from './snapshot-comparison.ts'
import type { SnapshotTable } from './snapshot-file.ts'

const named = { schema: 'public', name: 'jobs' }
const was = (facts: object) => ({ ...named, kind: 'table', sizeBytes: 0, ...facts }) as SnapshotTable
const is = (facts: object) => ({ ...named, ...facts }) as SeenTable
const whole = { rows: 3, checksum: 'a' }
const sample = { ...whole, sampled: { oneIn: 2, by: ['id'], rows: 1 } }

describe('a table of a restored server is, against the snapshot,', () => {
  test.each<[string, string, object | undefined, object | undefined]>([
    ['same', 'checksum', whole, whole],
    ['changed', 'checksum', whole, { ...whole, checksum: 'b' }],
    ['more', 'checksum', whole, { rows: 4, checksum: 'b' }],
    ['fewer', 'checksum', whole, { rows: 2, checksum: 'b' }],
    ['same', 'sample', sample, sample],
    ['changed', 'sample', sample, { ...sample, checksum: 'b' }],
    ['same', 'rows', { rows: 3 }, { rows: 3 }],
    ['fewer', 'rows', { rows: 3 }, { rows: 2 }],
    ['missing', 'checksum', whole, undefined],
    ['extra', 'rows', undefined, { rows: 3 }],
    ['unknown', 'rows', { unread: 'a lock' }, { rows: 3 }],
    ['unknown', 'checksum', whole, { unread: 'damaged' }],
    ['missing', 'rows', { unread: 'a lock' }, undefined],
  ])('%s by %s: %o, then %o', (verdict, by, before, now) => {
    const found = compareWithSnapshot({ tables: before ? [was(before)] : [] }, now ? [is(now)] : [])
    expect(found).toMatchObject([{ ...named, verdict, by }])
  })

  test('told with the rows of then and now, and why it is unknown', () => {
    expect(compareWithSnapshot({ tables: [was(whole)] }, [is({ rows: 2, checksum: 'b' })])).toMatchObject([
      { rowsBefore: 3, rowsNow: 2 },
    ])
    expect(compareWithSnapshot({ tables: [was({ unread: 'a lock' })] }, [is({ rows: 2 })])).toMatchObject([
      { rowsBefore: undefined, rowsNow: 2, why: 'the snapshot has nothing of it: a lock' },
    ])
  })

  test('not taken for another one whose name has a dot in it', () => {
    const tables = [{ ...was(whole), schema: 'a.b', name: 'c' }]
    expect(
      compareWithSnapshot({ tables }, [{ schema: 'a', name: 'b.c', ...whole }])
        .map(({ verdict }) => verdict)
        .sort(),
    ).toEqual(['extra', 'missing'])
  })
})
