import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { CannotRun } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'

const FORMAT = 'pg-recovery-drills snapshot 1'

const lsn = z
  .string()
  .regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i)
  .transform(text => Lsn.parse(text))

const count = z.number().int().nonnegative()

const tableName = { schema: z.string(), name: z.string() }

const tableSchema = z.union([
  z.strictObject({
    ...tableName,
    kind: z.enum(['table', 'materialized view']),
    /** With what is stored out of line, without indexes. */
    sizeBytes: count,
    rows: count,
    /** Of all rows whatever their order, or of those sampled; none where rows were only counted. */
    checksum: z.string().optional(),
    sampled: z.strictObject({ oneIn: count.positive(), by: z.array(z.string()), rows: count }).optional(),
  }),
  z.strictObject({ ...tableName, kind: z.enum(['table', 'materialized view']), unread: z.string() }),
])

const snapshotSchema = z.strictObject({
  format: z.literal(FORMAT),
  /** The server's clock, ISO 8601 in UTC with microseconds. */
  takenAt: z.string(),
  systemIdentifier: z.string().regex(/^\d+$/),
  serverVersion: z.string(),
  /** Of which the tables are. */
  database: z.string(),
  timeline: count,
  /**
   * The tables' moment lies between the two. When `exact`, they hold every commit before `fromLsn` and no other; else some commit may lie
   * on either side, and the counts are bounds.
   */
  fromLsn: lsn,
  toLsn: lsn,
  exact: z.boolean(),
  transactionsInProgress: count,
  /** `pg_current_wal_lsn()` and `pg_current_wal_insert_lsn()`, read together before them: what the runbook captures. */
  currentLsn: lsn,
  insertLsn: lsn,
  /** How long its transaction was open, which holds vacuum back. */
  heldSeconds: z.number().nonnegative(),
  archive: z.union([
    z.strictObject({
      where: z.string(),
      segments: z.array(z.string()),
      wrongSized: z.array(z.string()),
      histories: z.array(count),
      backups: z.array(z.string()),
      partials: z.array(z.string()),
      foreign: z.array(z.string()),
      /** Whether it covers `insertLsn`, in a sentence. */
      coverage: z.string(),
    }),
    z.strictObject({ notListed: z.string() }),
  ]),
  /** By name; secrets are hidden. */
  settings: z.record(
    z.string(),
    z.strictObject({ value: z.string(), unit: z.string().optional(), source: z.string() }),
  ),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string(), schema: z.string() })),
  databases: z.array(z.strictObject({ name: z.string(), sizeBytes: count.optional() })),
  tables: z.array(tableSchema),
  /** What recovery does not bring back, or what has no rows of its own. */
  leftOut: z.array(z.strictObject({ ...tableName, why: z.enum(['unlogged', 'foreign', 'not populated']) })),
})

/** What a live server said of itself at one moment: counts and checksums, no data. */
export type LiveSnapshot = Omit<z.output<typeof snapshotSchema>, 'format'>

/** One table of a snapshot, with what was read of it or why nothing was. */
export type SnapshotTable = LiveSnapshot['tables'][number]

/** @throws {CannotRun} when it is not a whole snapshot that this version reads. @param where for the sentence. */
export function parseSnapshot(text: string, where: string): LiveSnapshot {
  const parsed = snapshotSchema.safeParse(json(text))
  if (parsed.success) {
    const { format: _, ...snapshot } = parsed.data
    return snapshot
  }
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.')
  throw new CannotRun(
    `${where} is no snapshot that can be read (${place ? `at ${place}: ` : ''}${issue?.message}): name a file that \`npm run snapshot\` wrote`,
  )
}

/** @throws {CannotRun} when there is none, or it is not whole. */
export async function readSnapshotFile(file: string): Promise<LiveSnapshot> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CannotRun(`the snapshot ${file} cannot be read (${code}): name a file that \`npm run snapshot\` wrote`, {
      cause,
    })
  }
  return parseSnapshot(text, file)
}

/** `snapshot-7300000000000000000-20261127T112233.123Z.json`. */
function snapshotFileName({ systemIdentifier, takenAt }: Pick<LiveSnapshot, 'systemIdentifier' | 'takenAt'>): string {
  const time = takenAt.replaceAll(/[-:]/g, '').replace(/(\.\d{3})\d*Z$/, '$1Z')
  return `snapshot-${systemIdentifier}-${time}.json`
}

/**
 * Writes it into `folder`, which is made, whole or not at all, for its owner alone.
 * @returns where.
 * @throws {CannotRun} when it cannot be written, or one of that name is there.
 */
export async function writeSnapshotFile(folder: string, snapshot: LiveSnapshot): Promise<string> {
  const file = path.join(folder, snapshotFileName(snapshot))
  const part = `${file}.${process.pid}.part`
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    try {
      const handle = await open(part, 'wx', 0o600)
      try {
        await handle.writeFile(`${JSON.stringify({ format: FORMAT, ...snapshot }, null, 2)}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      // Other than a rename, replaces nothing.
      await link(part, file)
    } finally {
      await rm(part, { force: true })
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CannotRun(`the snapshot cannot be written to ${file} (${code}): name another folder with --out`, {
      cause,
    })
  }
  return file
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
