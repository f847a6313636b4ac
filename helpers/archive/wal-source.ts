import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { execa } from 'execa'
import { deadlinesMs } from '../deadlines.ts'
import { redact } from '../environment.ts'
import { redactText } from '../evidence/redact.ts'
import { CannotRun, Failure } from '../failure.ts'
import { type Compression, decompress, splitCompression } from './compression.ts'

/** Where a user's WAL comes from. It is only read. */
export interface WalSource {
  /** As the user gave it, without secrets. */
  readonly where: string
  /**
   * A file by PostgreSQL's name for it, unpacked; undefined where there is none, empty where it is packed and damaged.
   * @throws {CannotRun} when it is there and cannot be read.
   * @throws {Failure} `restore-command-failed`, `restore-command-hangs`.
   */
  fetch(name: string): Promise<Buffer | undefined>
  /** All names, unpacked ones; only of a source that can be listed. */
  names?(): Promise<string[]>
  /** Ends what it may be running, and all of it; nothing is fetched after that. */
  stop?(): Promise<void>
}

/** What PostgreSQL, or a tool beside it, names its files in an archive. */
const WAL_FILE = /^(?:[0-9A-F]{24}(?:\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history)$/
/** Barman's folders: a timeline and the middle digits of a segment's name. */
const SUBFOLDER = /^[0-9A-F]{16}$/
const UNREADABLE = /^([0-9A-F]{24})\.(lz4|xz|bz2|lzo|br)$/

/**
 * A folder with files that are plain or packed with gzip or zstd, by their names or, as Barman does it, by their content alone.
 * @throws {CannotRun} when it is no folder that can be read, or its files are packed in a way that cannot be undone here.
 */
export async function walFolder(folder: string): Promise<WalSource> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new CannotRun(
      `there is no folder ${folder}: name the folder of the WAL archive, or mount what should be there`,
    )
  const files = new Map<string, string>()
  const lookInto = (relative: string) => {
    for (const entry of listed(path.join(folder, relative))) {
      const { name } = splitCompression(entry)
      const file = path.join(relative, entry)
      if (WAL_FILE.test(name)) {
        // Of a plain and a packed file of one name, the plain one.
        if (!files.has(name) || name === entry) files.set(name, file)
      } else if (relative === '' && SUBFOLDER.test(entry)) lookInto(entry)
      else if (UNREADABLE.test(entry))
        throw new CannotRun(
          `${path.join(folder, file)} is packed with ${path.extname(entry).slice(1)}, which is not read here: give the restore_command that unpacks it in place of the folder`,
        )
    }
  }
  lookInto('')
  return {
    where: folder,
    names: async () => [...files.keys()].sort(),
    fetch: async name => {
      const file = files.get(name)
      return file === undefined ? undefined : await readPacked(path.join(folder, file))
    },
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw unreadable(folder, cause)
  }
}

function unreadable(file: string, cause: unknown): CannotRun {
  const { code } = cause as NodeJS.ErrnoException
  return new CannotRun(`${file} cannot be read (${code}): start the drill as a user who may read the whole archive`, {
    cause,
  })
}

const MAGIC: readonly (readonly [Buffer, Compression])[] = [
  [Buffer.from('1f8b', 'hex'), 'gz'],
  [Buffer.from('28b52ffd', 'hex'), 'zst'],
]

/** No WAL page begins as packed files do. */
async function readPacked(file: string): Promise<Buffer> {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    throw unreadable(file, cause)
  }
  const named = splitCompression(path.basename(file)).compression
  const compression = MAGIC.find(([magic]) => bytes.subarray(0, magic.length).equals(magic))?.[1] ?? named
  return compression === undefined ? bytes : ((await decompress(bytes, compression)) ?? Buffer.alloc(0))
}

export interface CommandOptions {
  /** A folder for the files that it fetches, empty, and the caller's to remove. */
  scratch: string
  /** What `%r` stands for: the segment that the backup begins in. */
  restartPoint: string
  /** Never shown. */
  secrets?: readonly string[]
  /** How long one file may take. */
  deadlineMs?: number
}

/** A command that exits above this could not be run, or was ended by a signal that the shell tells of. */
const HIGHEST_ORDINARY_STATUS = 125
const TOLD_BYTES = 2_000

/**
 * Any `restore_command`, run on this machine as PostgreSQL would run it on its own: one file a time, `%p` a path below the scratch
 * folder. Exit status 0 without a file, and any other up to 125, mean that there is no such file.
 * Each file has a deadline.
 * @throws {CannotRun} for one that names no `%f` or `%p`.
 * @see PostgreSQL documentation, "restore_command"; `RestoreArchivedFile` in `src/backend/access/transam/xlogarchive.c`
 */
export function walCommand(
  restoreCommand: string,
  { scratch, restartPoint, secrets = [], deadlineMs = deadlinesMs.walFetch }: CommandOptions,
): WalSource {
  const hidden = (text: string) => redactText(redact(text), secrets)
  for (const letter of ['f', 'p']) {
    if (!letters(restoreCommand).includes(letter))
      throw new CannotRun(
        `the restore command does not mention %${letter}: write it as restore_command stands in postgresql.conf, with %f for the file's name and %p for its path`,
      )
  }
  const target = path.join(scratch, 'fetched')
  let isStopped = false
  let running: { end(): void; ended: Promise<unknown> } | undefined
  return {
    where: hidden(restoreCommand),
    fetch: async name => {
      if (isStopped) throw new Error(`${name} was asked for after the restore command had been stopped`)
      rmSync(target, { force: true })
      const command = fill(restoreCommand, { f: name, p: target, r: restartPoint, '%': '%' })
      const child = execa('sh', ['-c', command], {
        cwd: scratch,
        stdin: 'ignore',
        stdout: 'ignore',
        maxBuffer: { stderr: 1024 * 1024 },
        reject: false,
        // Leader of a group of its own: it is ended with all that it has started.
        detached: true,
        cleanup: false,
      })
      const end = () => endGroup(child.pid)
      running = { end, ended: child }
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        end()
      }, deadlineMs)
      const result = await child.finally(() => clearTimeout(timer))
      running = undefined
      const { exitCode, signal } = result
      if (isLate)
        throw new Failure(
          'restore-command-hangs',
          `the restore command has not fetched ${name} in ${deadlineMs / 1000} s, and was ended: ${hidden(result.stderr.slice(-TOLD_BYTES)).trim() || 'it said nothing'}; a recovery would wait for it without end`,
          { name, deadlineMs },
        )
      if (exitCode === undefined || exitCode > HIGHEST_ORDINARY_STATUS)
        throw new Failure(
          'restore-command-failed',
          `the restore command ended with ${exitCode ?? signal ?? 'no exit status'} at ${name}: ${hidden(result.stderr.slice(-TOLD_BYTES)).trim() || 'it said nothing'}; PostgreSQL would end a recovery there`,
          { name, exitStatus: exitCode ?? signal ?? null },
        )
      if (exitCode !== 0 || !existsSync(target)) return undefined
      const bytes = readFileSync(target)
      rmSync(target)
      return bytes
    },
    stop: async () => {
      isStopped = true
      running?.end()
      await running?.ended
    },
  }
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** What stands behind each percent sign, from the left. */
function letters(command: string): string[] {
  return [...command.matchAll(/%(.)/gs)].map(([, letter = '']) => letter)
}

/** An unknown letter stays as it is, as before PostgreSQL 16. */
function fill(command: string, values: Readonly<Record<string, string>>): string {
  return command.replaceAll(/%(.)/gs, (whole, letter: string) => values[letter] ?? whole)
}
