import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lsn } from './lsn.ts'
import { readCommit } from './wal-commit.ts'
import type { WalRecord } from './wal-record.ts'

const record = (more: Partial<WalRecord> = {}): WalRecord => ({
  lsn: Lsn.parse('0/3000060'),
  endLsn: Lsn.parse('0/3000088'),
  previousLsn: Lsn.parse('0/3000028'),
  xid: 700,
  resourceManager: 1,
  info: 0x80,
  lengthBytes: 34,
  ...more,
})

/** As PostgreSQL keeps a time: microseconds since 2000. */
function timestamp(iso: string, microseconds = 0): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(Date.parse(iso) - Date.UTC(2000, 0, 1)) * 1000n + BigInt(microseconds))
  return bytes
}

const short = (data: Buffer) => Buffer.concat([Buffer.from([255, data.length]), data])
const AT = '2026-01-02T03:04:05.678Z'

describe('a commit', () => {
  test('says where it is and when it was made, to the microsecond', () => {
    expect(readCommit(record(), short(timestamp(AT, 901)))).toEqual({
      lsn: record().lsn,
      endLsn: record().endLsn,
      at: '2026-01-02T03:04:05.678901Z',
    })
  })

  test.each([
    ['of a transaction that was prepared', record({ info: 0x30 | 0x80 }), short(timestamp(AT))],
    ['with a long list behind its time', record(), Buffer.concat([Buffer.from([254, 0, 1, 0, 0]), timestamp(AT)])],
    ['of a subscription', record(), Buffer.concat([Buffer.from([253, 1, 0]), short(timestamp(AT))])],
    ['that names its transaction', record(), Buffer.concat([Buffer.from([252, 1, 0, 0, 0]), short(timestamp(AT))])],
  ])('%s is one too', (_, one, data) => {
    expect(readCommit(one, data)?.at).toBe('2026-01-02T03:04:05.678000Z')
  })

  test.each([
    ['an abort', record({ info: 0x20 }), short(timestamp(AT))],
    ['a transaction that is being prepared', record({ info: 0x10 }), short(timestamp(AT))],
    ['an invalidation', record({ info: 0x60 }), short(timestamp(AT))],
    ['another resource manager', record({ resourceManager: 10 }), short(timestamp(AT))],
    ['a record with a block', record(), Buffer.concat([Buffer.from([0]), timestamp(AT)])],
    ['a record that is too short', record(), Buffer.from([255, 8, 1, 2])],
    ['a record without data', record(), Buffer.alloc(0)],
  ])('is not %s', (_, one, data) => {
    expect(readCommit(one, data)).toBeUndefined()
  })

  test('has the time that it was given, before 2000 and before 1970 as well', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
        fc.nat(999),
        (date, more) => {
          const at = readCommit(record(), short(timestamp(date.toISOString(), more)))?.at
          expect(at).toBe(`${date.toISOString().slice(0, -1)}${String(more).padStart(3, '0')}Z`)
        },
      ),
    )
  })
})
