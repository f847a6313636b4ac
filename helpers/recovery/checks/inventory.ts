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

/** Of the users' own schemas. */
const isOwn = (schema: string) =>
  `${schema}::regnamespace::text <> 'information_schema' AND ${schema}::regnamespace::text !~ '^pg_'`

/** Of the whole cluster. No password, no setting of a role in clear, and no place of a tablespace, which a restore moves. */
const CLUSTER = `
  SELECT 'role ' || rolname AS name, (to_jsonb(r) - 'oid' - 'rolpassword' - 'rolname' || jsonb_build_object('rolconfig', md5(rolconfig::text)))::text AS value
    FROM pg_roles r
   UNION ALL
  SELECT format('membership of %s in %s, granted by %s', member::regrole, roleid::regrole, grantor::regrole),
         (to_jsonb(m) - 'oid' - 'roleid' - 'member' - 'grantor')::text
    FROM pg_auth_members m
   UNION ALL
  SELECT format('settings of role %s in database %s', CASE setrole WHEN 0 THEN 'any' ELSE setrole::regrole::text END,
                coalesce((SELECT datname FROM pg_database WHERE oid = setdatabase), 'any')),
         md5(setconfig::text)
    FROM pg_db_role_setting
   UNION ALL
  SELECT 'tablespace ' || spcname, ${owned('spcowner', 'spcacl')} || coalesce(', ' || spcoptions::text, '') FROM pg_tablespace
   UNION ALL
  SELECT 'database ' || datname,
         format('%s, in %s, %s, limit %s', ${owned('datdba', 'datacl')}, pg_encoding_to_char(encoding), datcollate, datconnlimit)
    FROM pg_database`

/**
 * How things are defined in one database, as PostgreSQL would write it; of what is long, a checksum.
 * @see PostgreSQL documentation, "System Catalog Information Functions"
 */
const DEFINITIONS = `
  SELECT format('constraint %I of %s', conname, CASE conrelid WHEN 0 THEN contypid::regtype::text ELSE conrelid::regclass::text END) AS name,
         pg_get_constraintdef(oid) || CASE WHEN convalidated THEN '' ELSE ', not validated' END AS value
    FROM pg_constraint WHERE ${isOwn('connamespace')}
   UNION ALL
  SELECT format('definition of column %s.%I', attrelid::regclass, attname),
         concat_ws(', ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
                   nullif(attidentity, ''), nullif(attgenerated, ''), nullif(attcollation, 0)::regcollation, pg_get_expr(adbin, adrelid))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
   WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND ${isOwn('relnamespace')}
   UNION ALL
  SELECT 'definition of index ' || indexrelid::regclass,
         pg_get_indexdef(indexrelid) || CASE WHEN indisvalid AND indisready THEN '' ELSE ', not usable' END
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE ${isOwn('relnamespace')}
   UNION ALL
  SELECT 'definition of view ' || oid::regclass, md5(pg_get_viewdef(oid))
    FROM pg_class WHERE relkind IN ('v', 'm') AND ${isOwn('relnamespace')}
   UNION ALL
  SELECT 'definition of function ' || oid::regprocedure, md5(pg_get_functiondef(oid))
    FROM pg_proc WHERE prokind <> 'a' AND ${isOwn('pronamespace')}
   UNION ALL
  SELECT 'definition of sequence ' || seqrelid::regclass, (to_jsonb(s) - 'seqrelid')::text FROM pg_sequence s
   UNION ALL
  SELECT format('trigger %I of %s', tgname, tgrelid::regclass), pg_get_triggerdef(oid) || ', ' || tgenabled::text
    FROM pg_trigger WHERE NOT tgisinternal
   UNION ALL
  SELECT format('policy %I of %I.%I', policyname, schemaname, tablename), (to_jsonb(p) - 'policyname' - 'schemaname' - 'tablename')::text
    FROM pg_policies p`

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
 * how the users' own things are defined, and the contents of large objects. Exact while nobody changes any of it. Works on a server in recovery too.
 */
export async function takeInventory(server: Pick<PostgresNode, 'session'>): Promise<Inventory> {
  const inventory = new Map<string, string>()
  const add = (prefix: string, rows: Row[]) => {
    for (const { name, value } of rows) inventory.set(`${prefix}${name}`, String(value))
  }
  await using databases = await Databases.open(server)
  add('', await databases.shared(CLUSTER))
  for (const query of [DATABASE, DEFINITIONS])
    for (const [database, rows] of await databases.each(session => session.query(query))) add(`${database}: `, rows)
  return inventory
}

/** What is not on the second as it was on the first, in words; extensions before the many things that come and go with one. */
export function compareInventories(before: Inventory, after: Inventory): string[] {
  const isExtension = (name: string) => /^[^:]+: extension /.test(name)
  const all = [...new Set([...before.keys(), ...after.keys()])].sort()
  const names = [...all.filter(isExtension), ...all.filter(name => !isExtension(name))]
  return names.flatMap(name => {
    const [was, is] = [before.get(name), after.get(name)]
    if (was === is) return []
    if (is === undefined) return [`${name} is missing`]
    if (was === undefined) return [`${name} is new`]
    return [`${name} was ${was}, is ${is}`]
  })
}
