import type { ArchiveListing } from '../archive/listing.ts'
import type { ReadableArchive } from '../archive/readable-archive.ts'
import { readServerProgress, type ServerProgress } from '../archive/server-progress.ts'
import { redact, redactCommand } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import type { LiveServer } from '../live/live-server.ts'
import type { Row, Session } from '../postgres/session.ts'
import { countTransactionsInProgress, coverage, lagOf, readIdentity, readInsertLsn } from './snapshot.ts'
import type { SnapshotConfig } from './snapshot-config.ts'
import type { LiveSnapshot, SnapshotTable } from './snapshot-file.ts'
import { type KnownTable, listTables, type Method, readTableFacts } from './table-facts.ts'
import { atOneMoment } from './table-state.ts'

/** The archive of a server whose segments have that size. */
export type ListedArchive = (segmentSizeBytes: number) => Pick<ReadableArchive, 'path' | 'list'> | undefined

export interface TakenSnapshot {
  snapshot: LiveSnapshot
  /** What is worth knowing of it, a sentence each. */
  warnings: string[]
}

/** A moment at which nobody writes makes the counts exact; on a busy server one may come soon. */
const MOMENTS = 20

/**
 * Takes it in one consistent read while others write. Holds no lock on a table beyond the reading of it, and one transaction,
 * which holds vacuum back, no longer than the user lets it.
 * @param archive why it is not listed, where it is none.
 * @throws {CannotRun} when it cannot be taken, or not within the limit: one sentence that says what to do.
 */
export async function takeLiveSnapshot(
  live: LiveServer,
  archive: ListedArchive | { notListed: string },
  config: SnapshotConfig,
): Promise<TakenSnapshot> {
  const limitMs = config.maxSeconds * 1000
  await using session = await live.session(undefined, { statementMs: limitMs, idleInTransactionMs: limitMs })
  // So that a snapshot that is interrupted does not go on without us. Not every platform of a server has it.
  await session.query("SET client_connection_check_interval = '1s'").catch(() => undefined)
  const server = await readServer(session)
  if (server.isInRecovery)
    throw new CannotRun(`${live.where} is in recovery: take the snapshot on the primary that it follows`)
  const clock = new Clock(limitMs)
  try {
    const progress = await readServerProgress(session)
    const read = await readAtOneMoment(session, config, clock)
    const { tables, ...moment } = read
    const settings = await readSettings(session)
    const extensions = await readExtensions(session)
    clock.reading = 'the sizes of the databases'
    const databases = await readDatabases(session)
    const listed = await list(archive, progress)
    const snapshot: LiveSnapshot = {
      ...moment,
      serverVersion: server.version,
      database: server.database,
      timeline: progress.timeline,
      currentLsn: progress.currentLsn,
      insertLsn: progress.insertLsn,
      heldSeconds: clock.heldSeconds,
      archive: listed,
      settings,
      extensions,
      databases,
      tables,
    }
    refuseUnread(snapshot, live.where, server)
    return { snapshot, warnings: [...live.warnings, ...warningsOf(snapshot, server)] }
  } catch (error) {
    throw refusal(error, live.where, clock, config)
  }
}

/** How long the transaction is open, and what is being read in it. */
class Clock {
  readonly #startedAtMs = performance.now()
  #beganAtMs = 0
  #heldMs = 0
  /** For the sentence when time is up. */
  reading = 'its first query'

  constructor(private readonly limitMs: number) {}

  begin(): void {
    this.#beganAtMs = performance.now()
  }

  end(): void {
    this.#heldMs = performance.now() - this.#beganAtMs
  }

  get leftMs(): number {
    return this.limitMs - (performance.now() - this.#beganAtMs)
  }

  /** Since the snapshot was begun: no statement is given longer. */
  get isOver(): boolean {
    return performance.now() - this.#startedAtMs >= this.limitMs
  }

  get heldSeconds(): number {
    return Math.round(this.#heldMs) / 1000
  }
}

/** Time is up. */
class LimitReached extends Error {}

type Moment = Pick<
  LiveSnapshot,
  'takenAt' | 'systemIdentifier' | 'fromLsn' | 'toLsn' | 'exact' | 'transactionsInProgress' | 'tables' | 'leftOut'
>

async function readAtOneMoment(session: Session, config: SnapshotConfig, clock: Clock): Promise<Moment> {
  for (let tries = 1; ; tries++) {
    const fromLsn = await readInsertLsn(session)
    const transactionsInProgress = await countTransactionsInProgress(session)
    clock.begin()
    const read = await atOneMoment(session, async () => {
      // The transaction's moment is when its first query begins; this is read right after it.
      const toLsn = await readInsertLsn(session)
      const exact = fromLsn.equals(toLsn) && transactionsInProgress === 0
      if (!exact && tries < MOMENTS) return undefined
      const identity = await readIdentity(session)
      const { tables, leftOut } = await listTables(session)
      const methods = chooseMethods(tables, config)
      const facts: SnapshotTable[] = []
      for (const table of tables) {
        if (clock.leftMs <= 0) throw new LimitReached()
        clock.reading = `${table.schema}.${table.name}`
        facts.push(await readTable(session, table, methods(table), clock))
      }
      return { ...identity, toLsn, exact, tables: facts, leftOut }
    })
    clock.end()
    if (read) return { ...read, fromLsn, transactionsInProgress }
  }
}

async function readTable(
  session: Session,
  table: KnownTable,
  method: (sizeBytes: number) => Method,
  clock: Clock,
): Promise<SnapshotTable> {
  const { schema, name, kind } = table
  const facts = await readTableFacts(session, table, method, clock.leftMs)
  return { schema, name, kind, ...facts }
}

/** @throws {CannotRun} when the user names a table that is not there. */
function chooseMethods(
  tables: readonly KnownTable[],
  { checksum, checksumBelowBytes }: SnapshotConfig,
): (table: KnownTable) => (sizeBytes: number) => Method {
  if (checksum === 'none') return () => () => 'rows'
  if (checksum === 'all') return () => () => 'checksum'
  if (checksum === 'small')
    return ({ key }) => {
      return sizeBytes =>
        sizeBytes < checksumBelowBytes ? 'checksum' : { oneIn: Math.ceil(sizeBytes / checksumBelowBytes) + 1, by: key }
    }
  const namesOf = ({ schema, name, quoted }: KnownTable) => [`${schema}.${name}`, quoted]
  const missing = checksum.filter(wanted => !tables.some(table => namesOf(table).includes(wanted)))
  if (missing.length > 0)
    throw new CannotRun(
      `SNAPSHOT_CHECKSUM names ${missing.join(', ')}, and this database has no such table that a recovery brings back: correct it`,
    )
  return table => () => (namesOf(table).some(name => checksum.includes(name)) ? 'checksum' : 'rows')
}

interface Server {
  version: string
  database: string
  isInRecovery: boolean
  role: string
  isSuperuser: boolean
  seesSettings: boolean
}

async function readServer(session: Session): Promise<Server> {
  const row = await session.one<Row & Record<'version' | 'database' | 'role', string>>(
    `SELECT current_setting('server_version') AS version, current_database() AS database, current_user AS role,
            pg_is_in_recovery() AS recovering, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
            pg_has_role(current_user, 'pg_read_all_settings', 'USAGE') AS sees_settings`,
  )
  return {
    version: row.version,
    database: row.database,
    role: row.role,
    isInRecovery: row.recovering === 't',
    isSuperuser: row.superuser === 't',
    seesSettings: row.sees_settings === 't',
  }
}

/** Of the server, without what our own connection has set. */
async function readSettings(session: Session): Promise<LiveSnapshot['settings']> {
  const rows = await session.query<Row & Record<'name' | 'setting' | 'source', string>>(
    `SELECT name, setting, unit, source FROM pg_settings WHERE source NOT IN ('client', 'session') ORDER BY name`,
  )
  return Object.fromEntries(
    rows.map(({ name, setting, unit, source }) => [
      name,
      { value: withoutSecrets(name, setting), ...(unit ? { unit } : {}), source },
    ]),
  )
}

/** A setting of the user's own is known for a secret by its name as well: PostgreSQL's own have such names and none. */
function withoutSecrets(name: string, setting: string): string {
  if (name.endsWith('_command') && name !== 'ssl_passphrase_command') return redactCommand(setting)
  const prefix = name.includes('.') || name === 'ssl_passphrase_command' ? `${name}=` : ''
  return redact(`${prefix}${setting}`).slice(prefix.length)
}

async function readExtensions(session: Session): Promise<LiveSnapshot['extensions']> {
  const rows = await session.query<Row & Record<'name' | 'version' | 'schema', string>>(
    `SELECT extname AS name, extversion AS version, nspname AS schema
       FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace ORDER BY 1`,
  )
  return rows.map(({ name, version, schema }) => ({ name, version, schema }))
}

async function readDatabases(session: Session): Promise<LiveSnapshot['databases']> {
  const rows = await session.query<Row & { name: string }>(
    `SELECT datname AS name,
            CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
                 THEN pg_database_size(oid) END AS bytes
       FROM pg_database ORDER BY 1`,
  )
  return rows.map(({ name, bytes }) => ({ name, ...(bytes ? { sizeBytes: Number(bytes) } : {}) }))
}

/** After the LSNs were read. What was listed must be of this server's segments. */
async function list(
  archive: ListedArchive | { notListed: string },
  progress: ServerProgress,
): Promise<LiveSnapshot['archive']> {
  if (typeof archive !== 'function') return archive
  const found = archive(progress.segmentSizeBytes)
  if (!found) return { notListed: 'there is none' }
  let listing: ArchiveListing
  try {
    listing = await found.list()
  } catch (error) {
    // What was counted is worth keeping all the same.
    if (error instanceof CannotRun) return { notListed: error.message }
    throw error
  }
  const { sentence } = coverage({ ...progress, lag: lagOf(progress, listing) })
  return { where: redact(found.path), ...listing.summary(), coverage: sentence }
}

function warningsOf({ tables, leftOut }: LiveSnapshot, { role, isSuperuser, seesSettings }: Server): string[] {
  const warnings: string[] = []
  if (isSuperuser)
    warnings.push(
      `the role ${role} is a superuser, who may write everything: connect as a member of pg_monitor and pg_read_all_data instead`,
    )
  if (!seesSettings) warnings.push(`the role ${role} sees only some of the settings: make it a member of pg_monitor`)
  for (const table of tables)
    if ('unread' in table) warnings.push(`nothing is known of ${table.schema}.${table.name}: ${table.unread}`)
  const unlogged = leftOut.filter(({ why }) => why === 'unlogged').map(({ schema, name }) => `${schema}.${name}`)
  if (unlogged.length > 0) warnings.push(`a recovery leaves unlogged tables empty: ${unlogged.join(', ')}`)
  return warnings
}

/** A later comparison with it would compare nothing. @throws {CannotRun} when there are tables, and none was read. */
function refuseUnread({ tables }: LiveSnapshot, where: string, { database, role }: Server): void {
  const reasons = new Set(tables.map(table => ('unread' in table ? table.unread : undefined)))
  if (tables.length === 0 || reasons.has(undefined)) return
  throw new CannotRun(
    `no snapshot was written: of ${tables.length} tables of ${database} on ${where} the role ${role} could read none (${[...reasons].join('; ')})`,
  )
}

/** What kept it from being taken, as a sentence that says what to do; what is none of these stays what it is. */
function refusal(error: unknown, where: string, clock: Clock, { maxSeconds }: SnapshotConfig): unknown {
  if (error instanceof CannotRun) return error
  const { code, message } = error as Error & { code?: string }
  const isCutOff = error instanceof LimitReached || ((code === '57014' || code === '25P03') && clock.isOver)
  if (isCutOff)
    return new CannotRun(
      `the snapshot of ${where} was given up after ${maxSeconds} s, while reading ${clock.reading}, so as not to hold vacuum back any longer: raise SNAPSHOT_MAX_SECONDS, or read less with SNAPSHOT_CHECKSUM=none`,
      { cause: error },
    )
  if (code === '57014')
    return new CannotRun(`somebody cancelled the snapshot of ${where}: take it again`, { cause: error })
  if (code === '42501')
    return new CannotRun(
      `the role may not read what a snapshot needs on ${where} (${redact(message)}): make it a member of pg_monitor and pg_read_all_data`,
      { cause: error },
    )
  if (code?.startsWith('57P') || code?.startsWith('08') || /terminated|psql has ended|ECONNRESET|EPIPE/.test(message))
    return new CannotRun(
      `the connection to ${where} was lost while the snapshot was taken (${redact(message.trim().split('\n').at(-1) ?? '')}): see whether the server runs, and take it again`,
      { cause: error },
    )
  return error
}
