import { Failure } from '../failure.ts'

/** `pg_authid`, which every cluster has under this oid. */
const ROLES_OID = 1260
const MAP_MAGIC = 0x592717
const PAGE_BYTES = 8192
const PAGE_HEADER_BYTES = 24
/** Of a line pointer: it points to a row. */
const IS_NORMAL = 1
const NAME_BYTES = 64
/** initdb's own. @see `src/include/catalog/pg_authid.dat` */
const BOOTSTRAP_OID = 10
const XMAX_IS_INVALID = 0x0800

interface StoredRole {
  oid: number
  name: string
  isSuperuser: boolean
  canLogIn: boolean
  insertedBy: number
  isDead: boolean
}

/**
 * The file that holds the cluster's roles, relative to the data directory: it gets another number whenever it is rewritten.
 * @param map `global/pg_filenode.map`.
 * @throws {Failure} `relation-map-damaged`.
 * @see PostgreSQL source, `src/backend/utils/cache/relmapper.c` (`RelMapFile`)
 */
export function findRoleFile(map: Buffer): string {
  const count = map.length >= 8 && map.readInt32LE(0) === MAP_MAGIC ? map.readInt32LE(4) : 0
  for (let at = 8; at + 8 <= map.length && at < 8 + count * 8; at += 8)
    if (map.readUInt32LE(at) === ROLES_OID) return `global/${map.readUInt32LE(at + 4)}`
  throw new Failure('relation-map-damaged', 'global/pg_filenode.map does not say where the roles are')
}

/**
 * The names of superusers that may log in, as they stand in the file of `pg_authid`: initdb's first, however it is called. The file
 * is read without what tells a committed row from another, so a name may be there that was given up, or never came to be.
 * @see PostgreSQL documentation, "Database Page Layout"; `src/include/catalog/pg_authid.h`
 */
export function readSuperusers(pages: Buffer): string[] {
  const roles: StoredRole[] = []
  for (let page = 0; page + PAGE_BYTES <= pages.length; page += PAGE_BYTES)
    roles.push(...rolesOn(pages.subarray(page, page + PAGE_BYTES)))
  const rank = ({ oid, isDead }: StoredRole) => (oid === BOOTSTRAP_OID ? 0 : 2) + (isDead ? 1 : 0)
  const superusers = roles
    .filter(({ isSuperuser, canLogIn }) => isSuperuser && canLogIn)
    .sort((a, b) => rank(a) - rank(b) || b.insertedBy - a.insertedBy)
  return [...new Set(superusers.map(({ name }) => name))]
}

function rolesOn(page: Buffer): StoredRole[] {
  const lower = page.readUInt16LE(12)
  const roles: StoredRole[] = []
  for (let at = PAGE_HEADER_BYTES; at + 4 <= Math.min(lower, PAGE_BYTES); at += 4) {
    const pointer = page.readUInt32LE(at)
    const [offset, state, length] = [pointer & 0x7fff, (pointer >>> 15) & 3, pointer >>> 17]
    if (state === IS_NORMAL && offset + length <= PAGE_BYTES) {
      const role = roleIn(page.subarray(offset, offset + length))
      if (role) roles.push(role)
    }
  }
  return roles
}

/** Oid, name, and booleans of one byte each: superuser, inherit, create roles, create databases, log in. */
function roleIn(row: Buffer): StoredRole | undefined {
  const data = row.subarray(row[22] ?? row.length)
  if (data.length < 4 + NAME_BYTES + 5) return undefined
  const name = data.subarray(4, 4 + NAME_BYTES)
  const end = name.indexOf(0)
  return {
    oid: data.readUInt32LE(0),
    name: name.toString('utf8', 0, end < 0 ? NAME_BYTES : end),
    isSuperuser: data[4 + NAME_BYTES] === 1,
    canLogIn: data[4 + NAME_BYTES + 4] === 1,
    insertedBy: row.readUInt32LE(0),
    isDead: row.readUInt32LE(4) !== 0 && (row.readUInt16LE(20) & XMAX_IS_INVALID) === 0,
  }
}
