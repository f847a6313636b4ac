import { type CheckTerms, judgeFindings, type ServerCheck } from './check.ts'
import type { Databases } from './databases.ts'

const TERMS: CheckTerms = {
  name: 'extensions',
  wanted: 'the files of each are on this system',
  severity: 'failure',
  advice: 'A backup brings none of them along: install the package of the extension, in its version.',
}

/** A library's name ends as the system has it. */
const LACKING = `
  SELECT format('%s %s has no script here', extname, extversion) AS finding
    FROM pg_extension e
   WHERE NOT EXISTS (SELECT FROM pg_available_extension_versions a WHERE a.name = extname AND a.version = extversion)
   UNION ALL
  SELECT DISTINCT format('%s has no library %s here', coalesce(extname, 'a function'), library)
    FROM pg_proc p
    LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid
    CROSS JOIN LATERAL (SELECT replace(probin, '$libdir', (SELECT setting FROM pg_config() WHERE name = 'PKGLIBDIR'))) AS l (library)
   WHERE library LIKE '/%'
     AND NOT EXISTS (SELECT FROM unnest(ARRAY['', '.so', '.dylib', '.dll']) AS suffix
                      WHERE pg_stat_file(library || suffix, true) IS DISTINCT FROM NULL)
   ORDER BY 1`

/** A restored server may run where an extension that its database uses was never installed. */
export async function checkExtensions(databases: Databases): Promise<ServerCheck> {
  const findings = await databases.find(async session =>
    (await session.query(LACKING)).map(({ finding }) => String(finding)),
  )
  return judgeFindings(TERMS, 'script and library of each are here', findings)
}
