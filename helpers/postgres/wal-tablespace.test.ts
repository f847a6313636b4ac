import { describe, expect, it } from 'vitest'
import { Lsn } from './lsn.ts'
import { readCreatedTablespace } from './wal-tablespace.ts'

const header = { lsn: Lsn.parse('0/3000060'), endLsn: Lsn.parse('0/30000A0'), previousLsn: Lsn.parse('0/3000028') }
const record = (resourceManager: number, info: number) => ({
  ...header,
  xid: 7,
  resourceManager,
  info,
  lengthBytes: 64,
})
const data = (location: string, before: number[] = []) => {
  const oid = Buffer.alloc(4)
  oid.writeUInt32LE(16_400)
  return Buffer.concat([Buffer.from([...before, 255, location.length + 5]), oid, Buffer.from(`${location}\0`)])
}

describe('a record of a tablespace', () => {
  it.each([
    ['as it is written', []],
    ['of a replicated transaction', [253, 0, 1]],
  ])('that was made tells which and where, %s', (_, before) => {
    expect(readCreatedTablespace(record(5, 0), data('/srv/fast', before))).toEqual({
      lsn: header.lsn,
      oid: '16400',
      location: '/srv/fast',
    })
  })

  it('in a long path tells as much of it as there is', () => {
    expect(readCreatedTablespace(record(5, 0), data(`/${'a'.repeat(60)}`).subarray(0, 40))).toMatchObject({
      location: `/${'a'.repeat(33)}…`,
    })
  })

  it('that cannot be read is there all the same', () => {
    expect(readCreatedTablespace(record(5, 0), Buffer.from([255]))).toMatchObject({ oid: 'unknown' })
  })

  it.each([
    ['that was dropped', record(5, 0x10), data('/srv/fast')],
    ['of another kind', record(4, 0), data('/srv/fast')],
    ['in the data directory', record(5, 0), data('')],
  ])('%s is none', (_, one, bytes) => {
    expect(readCreatedTablespace(one, bytes)).toBeUndefined()
  })
})
