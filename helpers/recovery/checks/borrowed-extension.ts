import type { Row, Session } from '../../postgres/session.ts'

/** In which an extension lies that a check brought along. */
const SCHEMA = 'drill_checks'

/**
 * Runs `body` with the functions of an extension of PostgreSQL's own, in one transaction that is rolled back: where the
 * database lacks the extension it is created, and whatever becomes of the check, the database stays as it was.
 * @param body is given the extension's schema, ready for SQL.
 * @returns what `body` does, or in words why there is no such extension.
 */
export async function withExtension<T>(
  session: Session,
  extension: string,
  body: (schema: string) => Promise<T>,
): Promise<{ done: T } | { lacking: string }> {
  const state = await session.one(
    `SELECT (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = $1) AS schema,
            EXISTS (SELECT FROM pg_available_extensions WHERE name = $1) AS available, pg_is_in_recovery() AS recovering`,
    [extension],
  )
  if (state.schema == null && state.available !== 't')
    return { lacking: `the extension ${extension} is not there to be created` }
  if (state.schema == null && state.recovering === 't')
    return { lacking: `the extension ${extension} cannot be created before the server is promoted` }
  await session.query('BEGIN')
  try {
    if (state.schema == null)
      await session.query(`CREATE SCHEMA ${SCHEMA}; CREATE EXTENSION ${extension} SCHEMA ${SCHEMA}`)
    return { done: await body(state.schema ?? SCHEMA) }
  } finally {
    // A server that went away meanwhile must not hide why `body` failed.
    await session.query('ROLLBACK').catch(() => undefined)
  }
}

/**
 * Runs one query over many relations within the transaction that is open, and gives up its locks. When the server raises
 * an error, each half is tried by itself, down to the relations that it is raised for.
 * @returns the rows of all that could be run, and the server's message for each relation that could not.
 * @throws what is not an error of a relation: the connection has gone.
 */
export async function attemptAll<T>(
  session: Session,
  relations: readonly T[],
  sql: (relations: readonly T[]) => string,
): Promise<{ rows: Row[]; errors: { relation: T; message: string }[] }> {
  const [relation] = relations
  if (relation === undefined) return { rows: [], errors: [] }
  try {
    const rows = await session.query(`SAVEPOINT attempt; ${sql(relations)}; ROLLBACK TO attempt; RELEASE attempt`)
    return { rows, errors: [] }
  } catch (error) {
    if (!isRaisedByServer(error)) throw error
    await session.query('ROLLBACK TO attempt; RELEASE attempt')
    if (relations.length === 1) return { rows: [], errors: [{ relation, message: error.message }] }
  }
  const half = Math.ceil(relations.length / 2)
  const first = await attemptAll(session, relations.slice(0, half), sql)
  const second = await attemptAll(session, relations.slice(half), sql)
  return { rows: [...first.rows, ...second.rows], errors: [...first.errors, ...second.errors] }
}

/** PostgreSQL's errors have an SQLSTATE of five characters; those of class 57 end the query or the connection from outside. */
function isRaisedByServer(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^(?!57)[0-9A-Z]{5}$/.test(String(error.code))
}
