import pg from 'pg'

/** Where a server takes connections, and as whom. */
export interface Connection {
  /** A name, an address, or the folder that the server's socket lies in. */
  host: string
  port: number
  user: string
  password: string
  database: string
  /** Where the server takes those who have it instead of a password, and has it itself. In PEM. */
  certificate?: { cert: string; key: string }
}

/** Every value as PostgreSQL printed it: a JavaScript date would cut microseconds, a number would round a bigint. */
const asText = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig

export type Row = Record<string, string | null>

/** What a session speaks through. */
export interface Link {
  /**
   * One statement, or several without parameters: then the rows of the last one that gave any.
   * @throws an error whose `code` is PostgreSQL's SQLSTATE, where the server refused it.
   */
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>
  end(): Promise<void>
}

/** One connection. `await using` closes it. */
export class Session implements AsyncDisposable {
  readonly #link: Link

  constructor(link: Link) {
    this.#link = link
  }

  /** One statement, or several without parameters: then the rows of the last one that gave any. */
  async query<R extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<R[]> {
    return (await this.#link.query(sql, parameters)) as R[]
  }

  /** The one row that a statement gives. @throws when it gives none. */
  async one<R extends Row = Row>(sql: string, parameters?: readonly unknown[]): Promise<R> {
    const [row] = await this.query<R>(sql, parameters)
    if (!row) throw new Error(`no row from: ${sql}`)
    return row
  }

  async close(): Promise<void> {
    await this.#link.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** @throws what `pg` throws: its `code` is PostgreSQL's SQLSTATE, or Node's for a connection that was not made. */
export async function openSession(connection: Connection, applicationName = 'drill'): Promise<Session> {
  const { certificate, ...others } = connection
  return await connectSession({
    ...others,
    // Whoever has that certificate is the server, by whatever address.
    ...(certificate && { ssl: { ...certificate, ca: certificate.cert, checkServerIdentity: () => undefined } }),
    application_name: applicationName,
    connectionTimeoutMillis: 10_000,
  })
}

/** As `openSession`, with all that `pg` takes. */
export async function connectSession(settings: pg.ClientConfig): Promise<Session> {
  const client = new pg.Client({ ...settings, types: asText })
  // A server that is killed under drill takes idle connections with it; whoever uses one next sees the error there.
  client.on('error', () => undefined)
  await client.connect()
  return new Session(overConnection(client))
}

function overConnection(client: pg.Client): Link {
  return {
    async query(sql, parameters) {
      const result = (await (parameters ? client.query(sql, [...parameters]) : client.query(sql))) as
        | pg.QueryResult<Row>
        | pg.QueryResult<Row>[]
      return Array.isArray(result) ? (result.filter(one => one.fields.length > 0).at(-1)?.rows ?? []) : result.rows
    },
    end: () => client.end(),
  }
}

/** For programs that take one: `DATABASE_URL`. Contains the password: for a child's environment, never for a log. */
export function connectionUrl({ host, port, user, password, database }: Connection): string {
  // The folder of a socket: no host of a URL can be one.
  if (host.startsWith('/'))
    return `postgresql://${encodeURIComponent(user)}@/${encodeURIComponent(database)}?host=${encodeURIComponent(host)}&port=${port}`
  return `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${encodeURIComponent(database)}`
}
