import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Connection } from '../postgres/session.ts'

/** How much is held of what the server has sent and nobody has taken yet. */
const HELD_BYTES = 1024 * 1024

/**
 * A connection that takes the commands of the replication protocol, and SQL where it can.
 * @throws what `pg` throws.
 * @see PostgreSQL documentation, "Streaming Replication Protocol"
 */
export async function openReplication(connection: Connection): Promise<pg.Client> {
  try {
    return await open(connection, 'database')
  } catch (error) {
    // pg_hba.conf's keyword `replication` matches physical replication alone, and its `all` the other kind alone.
    if (!isRefusedByHba(error)) throw error
    return await open(connection, 'true')
  }
}

export function isRefusedByHba(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '28000' && error.message.includes('pg_hba.conf')
}

async function open(connection: Connection, replication: 'database' | 'true'): Promise<pg.Client> {
  const configuration: pg.ClientConfig & { replication: string } = {
    ...connection,
    replication,
    application_name: 'drill base backup',
    connectionTimeoutMillis: 10_000,
    // A server that vanishes without a word would otherwise be waited for for hours.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
  const client = new pg.Client(configuration)
  // Whoever waits for an answer gets the error; `pg` emits it once more.
  client.on('error', () => undefined)
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
  return client
}

/**
 * The answer to a command that sends result sets and, between them, one stream of CopyData. `client.query()` it, then
 * take the messages. While nobody takes any, the server is made to wait.
 */
export class CopyAnswer implements pg.Submittable {
  /** Result sets so far, each with its rows as the text the server sent. */
  readonly resultSets: (string | null)[][][] = []
  #socket: Duplex | undefined
  #messages: Buffer[] = []
  #heldBytes = 0
  #state: 'running' | 'complete' | { error: Error } = 'running'
  #wake: () => void = () => undefined

  constructor(private readonly command: string) {}

  /** The messages of the copy, in the batches they came in. @throws the server's error, or the connection's. */
  async *batches(): AsyncGenerator<Buffer[], void, undefined> {
    for (;;) {
      if (this.#messages.length > 0) {
        const batch = this.#messages
        this.#messages = []
        this.#heldBytes = 0
        yield batch
      } else if (this.#state === 'complete') {
        return
      } else if (typeof this.#state === 'object') {
        throw this.#state.error
      } else {
        const woken = new Promise<void>(resolve => {
          this.#wake = resolve
        })
        this.#socket?.resume()
        await woken
      }
    }
  }

  /** Cuts the connection: what the server still sends is of no use. */
  abort(): void {
    this.#socket?.destroy()
  }

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream
    connection.query(this.command)
  }

  handleRowDescription(): void {
    this.resultSets.push([])
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.resultSets.at(-1)?.push(fields)
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    // A copy: `pg` receives what comes next into the same memory.
    this.#messages.push(Buffer.from(chunk))
    this.#heldBytes += chunk.length
    if (this.#heldBytes >= HELD_BYTES) this.#socket?.pause()
    this.#wake()
  }

  handleCommandComplete(): void {
    // One comes after every result set; the end is ReadyForQuery.
  }

  handleError(error: Error): void {
    if (this.#state === 'running') this.#state = { error }
    this.#wake()
  }

  handleReadyForQuery(): void {
    if (this.#state === 'running') this.#state = 'complete'
    this.#wake()
  }
}
