import { describe, expect, test } from 'vitest'
import { findRoleFile, readSuperusers } from './role-file.ts'

interface Role {
  oid: number
  name: string
  superuser?: boolean
  login?: boolean
  insertedBy?: number
  deletedBy?: number
  /** What PostgreSQL has noted of a deletion that was rolled back. */
  isStillAlive?: boolean
}

/** A page of `pg_authid` as PostgreSQL lays it out: pointers from the front, rows from the back. */
function page(...roles: Role[]): Buffer {
  const bytes = Buffer.alloc(8192)
  bytes.writeUInt16LE(24 + roles.length * 4, 12)
  let upper = 8192
  for (const [index, role] of roles.entries()) {
    const { oid, name, superuser = true, login = true, insertedBy = 3, deletedBy = 0, isStillAlive = false } = role
    const row = Buffer.alloc(32 + 4 + 64 + 8 + 4)
    row.writeUInt32LE(insertedBy, 0)
    row.writeUInt32LE(deletedBy, 4)
    row.writeUInt16LE(isStillAlive ? 0x0800 : 0, 20)
    row.writeUInt8(32, 22)
    row.writeUInt32LE(oid, 32)
    row.write(name, 36, 'utf8')
    row.writeUInt8(superuser ? 1 : 0, 100)
    row.writeUInt8(login ? 1 : 0, 104)
    upper -= row.length
    row.copy(bytes, upper)
    bytes.writeUInt32LE(((row.length << 17) | (1 << 15) | upper) >>> 0, 24 + index * 4)
  }
  return bytes
}

describe('the superusers of a cluster', () => {
  test("are initdb's first, however it is called", () => {
    expect(readSuperusers(page({ oid: 16_384, name: 'admin' }, { oid: 10, name: 'Ünser Chef' }))).toEqual([
      'Ünser Chef',
      'admin',
    ])
  })

  test('are found on every page', () => {
    const pages = Buffer.concat([
      page({ oid: 20_000, name: 'a', superuser: false }),
      page({ oid: 10, name: 'postgres' }),
    ])
    expect(readSuperusers(pages)).toEqual(['postgres'])
  })

  test('are by their newest name', () => {
    const roles = page(
      { oid: 10, name: 'postgres', insertedBy: 3, deletedBy: 700 },
      { oid: 10, name: 'boss', insertedBy: 700 },
    )
    expect(readSuperusers(roles)).toEqual(['boss', 'postgres'])
  })

  test('keep the name whose change was rolled back', () => {
    const roles = page(
      { oid: 10, name: 'new', insertedBy: 700, deletedBy: 701 },
      { oid: 10, name: 'postgres', deletedBy: 700, isStillAlive: true },
    )
    expect(readSuperusers(roles)[0]).toBe('postgres')
  })

  test('are only those that may log in', () => {
    expect(
      readSuperusers(page({ oid: 10, name: 'postgres', login: false }, { oid: 11, name: 'user', superuser: false })),
    ).toEqual([])
  })

  test.each([Buffer.alloc(8192), Buffer.alloc(100), Buffer.alloc(0), Buffer.alloc(8192, 0xff)])(
    'are none in what is no page',
    bytes => {
      expect(readSuperusers(bytes)).toEqual([])
    },
  )
})

describe('the file of the roles', () => {
  test('has the number that the map gives it', () => {
    const map = Buffer.alloc(512)
    map.writeInt32LE(0x592717, 0)
    map.writeInt32LE(2, 4)
    for (const [index, value] of [1262, 1262, 1260, 24_601].entries()) map.writeUInt32LE(value, 8 + index * 4)
    expect(findRoleFile(map)).toBe('global/24601')
  })

  test.each([Buffer.alloc(512), Buffer.alloc(3)])('is not known from what is no map', map => {
    expect(() => findRoleFile(map)).toThrow(/does not say where the roles are/)
  })
})
