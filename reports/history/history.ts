import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { locked } from './lock.ts'

const { kind, verdict, startedAt } = evidenceSchema.shape.run.shape

/** A run as later runs remember it: a line of `history.jsonl`. */
export const historyEntrySchema = z.object({
  runId: z.string(),
  kind,
  startedAt,
  endedAt: startedAt,
  verdict,
  commit: z.string(),
  runtime: z.string(),
  serverMajor: z.number().int(),
  digest: z.string().describe('SHA-256 of its SHA256SUMS, as hex'),
  previous: z.string().nullable().describe('That of the run before it; none before the first'),
  shards: z.array(z.string()).optional().describe('Ids of the runs that it was merged from'),
  drills: z.array(
    z.object({
      id: z.string(),
      verdict,
      durationSeconds: z.number(),
      rtoSeconds: z.number().optional(),
      rpoSeconds: z.number().optional(),
    }),
  ),
})
export type HistoryEntry = z.infer<typeof historyEntrySchema>

const FILE = 'history.jsonl'

/**
 * The runs of a history, oldest first; none where there is no file. A last line that its writer was killed over is left out,
 * and taken away by the next run that is added.
 * @param folder that of `history.jsonl`.
 * @throws {CannotRun} for any other line that cannot be read: to go on without it would break the chain of runs unseen.
 */
export function readHistory(folder: string): HistoryEntry[] {
  return parseHistory(folder).entries
}

/**
 * Makes the folder where there is none, and sees that a run can be added: before the drills, since a run that cannot be
 * remembered breaks the chain of those that can.
 * @throws {CannotRun} when nothing can be written there.
 */
export function prepareHistory(folder: string): void {
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  const probe = path.join(folder, `history.lock.${randomUUID()}`)
  writing(folder, () => {
    try {
      writeFileSync(probe, 'x', { flag: 'wx' })
    } finally {
      rmSync(probe, { force: true })
    }
  })
  if (existsSync(path.join(folder, FILE))) change(folder, () => undefined)
}

/**
 * Calls `body` with the runs of the history, oldest first, while no other run can do the same: whoever reads which run is the
 * latest has added itself before the next one reads. An entry is on disk when `append` returns. The folder is made where
 * there is none. Synchronous: an 'exit' handler may call it.
 * @throws {CannotRun} when the folder cannot be written to, another run does not end its turn, or a line cannot be read.
 */
export function withHistory<T>(
  folder: string,
  body: (earlier: HistoryEntry[], append: (entry: HistoryEntry) => void) => T,
): T {
  writing(folder, () => mkdirSync(folder, { recursive: true }))
  return locked(path.join(folder, 'history.lock'), () => {
    const { entries, ...end } = parseHistory(folder)
    repair(folder, end)
    return body(entries, entry => append(folder, entry))
  })
}

/**
 * @param digest of the run, as `sealBundle` returns it.
 * @throws {Error} for a run that has not ended, or does not say which run came before it: neither has a place in a history.
 */
export function historyEntryOf({ run, suite, runtime, drills }: Evidence, digest: string): HistoryEntry {
  if (run.endedAt === undefined || run.previous === undefined)
    throw new Error(`the run ${run.id} has not ended, or is of no history: it cannot be added to one`)
  return historyEntrySchema.parse({
    runId: run.id,
    kind: run.kind,
    startedAt: run.startedAt,
    endedAt: run.endedAt,
    verdict: run.verdict,
    commit: suite.commit,
    runtime: runtime.name,
    serverMajor: serverMajorOf(runtime),
    digest,
    previous: run.previous?.digest ?? null,
    ...(run.shards && { shards: run.shards }),
    drills: drills.map(({ id, verdict, durationSeconds, rto, rpo }) => ({
      id,
      verdict,
      durationSeconds,
      ...(rto && { rtoSeconds: rto.seconds }),
      ...(rpo && { rpoSeconds: rpo.seconds }),
    })),
  })
}

/** `18` of `18.4` and of `18beta1`. */
export function serverMajorOf({ serverVersion }: Pick<Evidence['runtime'], 'serverVersion'>): number {
  return Number.parseInt(serverVersion, 10)
}

/** How a file ends. Its last writer may have been killed. */
interface End {
  /** Up to here it can be read. */
  wholeBytes: number
  /** Behind that is what no line was made of. */
  isTorn: boolean
  /** Its last line is whole, and the line break is missing. */
  isUnended: boolean
}

function parseHistory(folder: string): End & { entries: HistoryEntry[] } {
  const file = path.join(folder, FILE)
  const bytes = readOrNone(file)
  const endedBytes = bytes.lastIndexOf('\n') + 1
  const lines = bytes.subarray(0, endedBytes).toString('utf8').split('\n').slice(0, -1)
  const entries = lines.map((line, index) => {
    const { data, error } = parseLine(line)
    if (!data)
      throw new CannotRun(
        `line ${index + 1} of ${file} cannot be read (${error}): put it back as it was, or move the file away to begin a new history`,
      )
    return data
  })
  const { data: last } = parseLine(bytes.subarray(endedBytes).toString('utf8'))
  return last
    ? { entries: [...entries, last], wholeBytes: bytes.length, isTorn: false, isUnended: true }
    : { entries, wholeBytes: endedBytes, isTorn: endedBytes < bytes.length, isUnended: false }
}

function readOrNone(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return Buffer.alloc(0)
    throw new CannotRun(`${file} cannot be read (${code}): let this user read it, or name another folder`, { cause })
  }
}

function parseLine(line: string): { data?: HistoryEntry; error?: string } {
  try {
    const { data, error } = historyEntrySchema.safeParse(JSON.parse(line))
    return data ? { data } : { error: `see ${error?.issues.map(issue => issue.path.join('.')).join(', ')}` }
  } catch (cause) {
    return { error: (cause as Error).name }
  }
}

/** What a killed writer left of a line goes; a line of which only the line break is missing gets it. */
function repair(folder: string, { wholeBytes, isTorn, isUnended }: End): void {
  if (isTorn) change(folder, file => ftruncateSync(file, wholeBytes))
  if (isUnended) change(folder, file => writeSync(file, '\n'))
}

function append(folder: string, entry: HistoryEntry): void {
  change(folder, file => writeSync(file, `${JSON.stringify(historyEntrySchema.parse(entry))}\n`))
}

function change(folder: string, body: (file: number) => void): void {
  writing(path.join(folder, FILE), () => {
    const file = openSync(path.join(folder, FILE), 'a')
    try {
      body(file)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  })
}

function writing(what: string, write: () => void): void {
  try {
    write()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new CannotRun(
      `${what} cannot be written (${code}): make room for it, or set DRILL_HISTORY to another folder`,
      {
        cause,
      },
    )
  }
}
