import { deadlinesMs } from '../../deadlines.ts'
import { Failure } from '../../failure.ts'
import type { Row, Session } from '../../postgres/session.ts'
import type { PostgresNode } from '../../runtime/postgres-node.ts'

/** Every database of a server that takes connections, with a session in each. `await using` it. */
export class Databases implements AsyncDisposable {
  private constructor(private readonly sessions: ReadonlyMap<string, Session>) {}

  static async open(server: Pick<PostgresNode, 'session'>): Promise<Databases> {
    const names = await connectableDatabases(server)
    const sessions = new Map<string, Session>()
    const databases = new Databases(sessions)
    try {
      for (const name of names) {
        const session = await server.session(name)
        sessions.set(name, session)
        // Every name is then printed with its schema; and what holds a lock for good, such as a prepared transaction, is told.
        await session.query(`SET search_path = ''; SET lock_timeout = ${deadlinesMs.checkLock}`)
      }
    } catch (cause) {
      await databases[Symbol.asyncDispose]()
      throw cause
    }
    return databases
  }

  get count(): number {
    return this.sessions.size
  }

  /** What is read in each, with the database's name. */
  each<T>(read: (session: Session) => Promise<T>): Promise<[database: string, read: T][]> {
    return Promise.all(
      [...this.sessions].map(async ([database, session]): Promise<[string, T]> => [database, await read(session)]),
    )
  }

  /** What is found in each, said of it: `jobs_pkey …` becomes `dispatch: jobs_pkey …`. */
  async find(find: (session: Session) => Promise<string[]>): Promise<string[]> {
    return withDatabase(await this.each(find))
  }

  /** In any one of them, for what all share. */
  shared(sql: string): Promise<Row[]> {
    const [session] = this.sessions.values()
    if (!session) throw new Error('no database of this server takes connections')
    return session.query(sql)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.sessions.values()].map(session => session.close()))
  }
}

export function withDatabase(found: readonly [database: string, findings: readonly string[]][]): string[] {
  return found.flatMap(([database, findings]) => findings.map(finding => `${database}: ${finding}`))
}

async function connectableDatabases(server: Pick<PostgresNode, 'session'>): Promise<string[]> {
  await using session = await server.session()
  const rows = await session.query<Row & { datname: string }>(
    'SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname',
  )
  return rows.map(({ datname }) => datname)
}

/**
 * The database that a restored server is asked about.
 * @param wanted default: the first that is not PostgreSQL's own, else that.
 * @throws {Failure} `database-missing`.
 */
export async function chooseDatabase(server: Pick<PostgresNode, 'session'>, wanted?: string): Promise<string> {
  const names = await connectableDatabases(server)
  if (wanted !== undefined && !names.includes(wanted))
    throw new Failure(
      'database-missing',
      `the restored server has no database ${wanted} that takes connections: it has ${names.join(', ')}`,
      { wanted, databases: names },
    )
  return wanted ?? names.find(name => !['postgres', 'template1'].includes(name)) ?? 'postgres'
}
