import type { Row } from '../../postgres/session.ts'
import type { PostgresNode } from '../../runtime/postgres-node.ts'
import { Databases } from './databases.ts'

/** What is on a server beside the rows of its tables: each thing by its name, with all that two servers are compared by. */
export type Inventory = ReadonlyMap<string, string>

/** In any order of grants. */
const acl = (column: string) =>
  `coalesce((SELECT string_agg(item::text, ', ' ORDER BY item::text) FROM unnest(${column}) AS item), 'default')`
const owned = (owner: string, privileges: string) =>
  `format('of %s, privileges: %s', ${owner}::regrole, ${acl(privileges)})`

/** Of the whole cluster. No password, no setting of a role in clear, and no place of a tablespace, which a restore moves. */
const CLUSTER = `
  SELECT 'role ' || rolname AS name, (to_jsonb(r) - 'oid' - 'rolpassword' - 'rolname' || jsonb_build_object('rolconfig', md5(rolconfig::text)))::text AS value
    FROM pg_roles r
   UNION ALL
  SELECT format('membership of %s in %s, granted by %s', member::regrole, roleid::regrole, grantor::regrole),
         (to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')::text
    FROM pg_auth_members m
   UNION ALL
  SELECT 'tablespace ' || spcname, ${owned('spcowner', 'spcacl')} || coalesce(', ' || spcoptions::text, '') FROM pg_tablespace
   UNION ALL
  SELECT 'database ' || datname,
         format('%s, in %s, %s, limit %s', ${owned('datdba', 'datacl')}, pg_encoding_to_char(encoding), datcollate, datconnlimit)
    FROM pg_database`

/** Of one database. Large objects page by page, so that one of any size can be read. */
const DATABASE = `
  SELECT 'extension ' || extname AS name, format('%s in %s', extversion, extnamespace::regnamespace) AS value FROM pg_extension
   UNION ALL
  SELECT 'schema ' || nspname, ${owned('nspowner', 'nspacl')} FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'
   UNION ALL
  SELECT CASE WHEN relkind = 'S' THEN 'sequence ' WHEN relkind IN ('v', 'm') THEN 'view ' WHEN relkind IN ('i', 'I') THEN 'index ' ELSE 'table ' END || c.oid::regclass,
         format('%s, %s, tablespace %s', ${owned('relowner', 'relacl')},
                CASE relpersistence WHEN 'u' THEN 'unlogged' ELSE 'logged' END, coalesce(spcname, 'default'))
    FROM pg_class c LEFT JOIN pg_tablespace s ON s.oid = reltablespace
   WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') AND relpersistence <> 't'
   UNION ALL
  SELECT format('column %s.%I', attrelid::regclass, attname), 'privileges: ' || ${acl('attacl')} FROM pg_attribute WHERE attacl IS NOT NULL
   UNION ALL
  SELECT 'function ' || oid::regprocedure, ${owned('proowner', 'proacl')} FROM pg_proc
   WHERE proacl IS NOT NULL OR pronamespace <> 'pg_catalog'::regnamespace
   UNION ALL
  SELECT format('default privileges of %s in %s on %s', defaclrole::regrole,
                CASE defaclnamespace WHEN 0 THEN 'any schema' ELSE defaclnamespace::regnamespace::text END, defaclobjtype),
         ${acl('defaclacl')}
    FROM pg_default_acl
   UNION ALL
  SELECT 'large object ' || m.oid,
         format('%s, %s', ${owned('lomowner', 'lomacl')},
                (SELECT md5(coalesce(string_agg(pageno || ':' || md5(data), ',' ORDER BY pageno), '')) FROM pg_largeobject WHERE loid = m.oid))
    FROM pg_largeobject_metadata m`

/**
 * Roles with their attributes and memberships, databases, tablespaces, extensions, privileges and owners of all there is,
 * and the contents of large objects. Exact while nobody changes any of it. Works on a server in recovery too.
 */
export async function takeInventory(server: Pick<PostgresNode, 'session'>): Promise<Inventory> {
  const inventory = new Map<string, string>()
  const add = (prefix: string, rows: Row[]) => {
    for (const { name, value } of rows) inventory.set(`${prefix}${name}`, String(value))
  }
  await using databases = await Databases.open(server)
  add('', await databases.shared(CLUSTER))
  for (const [database, rows] of await databases.each(session => session.query(DATABASE))) add(`${database}: `, rows)
  return inventory
}

/** What is not on the second as it was on the first, in words. */
export function compareInventories(before: Inventory, after: Inventory): string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names.flatMap(name => {
    const [was, is] = [before.get(name), after.get(name)]
    if (was === is) return []
    if (is === undefined) return [`${name} is missing`]
    if (was === undefined) return [`${name} is new`]
    return [`${name} was ${was}, is ${is}`]
  })
}
