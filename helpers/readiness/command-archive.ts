import { execa } from 'execa'
import { splitCompression } from '../archive/compression.ts'
import { ReadableArchive } from '../archive/readable-archive.ts'
import { deadlinesMs } from '../deadlines.ts'
import { redact } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import { quoteForShell } from '../runtime/shell.ts'
import type { VolumeEntry } from '../runtime/volume.ts'

interface Commands {
  /** Prints a name on each line, and behind it, if it likes, the size in bytes. */
  list: string
  /** Prints the file whose name is put for `%f`; a percent sign is written `%%`. */
  fetch: string | undefined
}

/** A user's own WAL archive behind commands of theirs, such as a bucket: the names are asked for once. */
export class CommandArchive extends ReadableArchive {
  readonly path = 'the archive of PREFLIGHT_ARCHIVE_LIST_COMMAND'
  #listed: { atMs: number; entries: Promise<VolumeEntry[]> } | undefined

  constructor(
    private readonly commands: Commands,
    segmentSizeBytes: number,
  ) {
    super(segmentSizeBytes)
  }

  override get reach(): 'whole' | 'names' {
    return this.commands.fetch === undefined ? 'names' : 'whole'
  }

  /** What was printed less than a second ago is not asked for again. */
  files(): Promise<VolumeEntry[]> {
    const now = performance.now()
    if (!this.#listed || now - this.#listed.atMs > LISTED_FOR_MS) this.#listed = { atMs: now, entries: this.#list() }
    return this.#listed.entries
  }

  async read(name: string, into?: Buffer): Promise<Buffer> {
    const { fetch } = this.commands
    if (fetch === undefined) throw new CannotRun(`${name} cannot be read: set PREFLIGHT_ARCHIVE_FETCH_COMMAND`)
    const bytes = await run(
      'PREFLIGHT_ARCHIVE_FETCH_COMMAND',
      fetch.replaceAll(/%([f%])/g, (_, letter) => (letter === 'f' ? quoteForShell(name) : '%')),
    )
    return into ? into.subarray(0, bytes.copy(into)) : bytes
  }

  override async find(name: string): Promise<Buffer | undefined> {
    return this.reach === 'names' ? undefined : await super.find(name)
  }

  async #list(): Promise<VolumeEntry[]> {
    const output = await run('PREFLIGHT_ARCHIVE_LIST_COMMAND', this.commands.list)
    return parseNames(output.toString('utf8'), this.segmentSizeBytes)
  }
}

const LISTED_FOR_MS = 500

/**
 * Lines of a name, or a name and a size in bytes. Without a size a file is taken for whole. A path is that of its last part, as
 * buckets list them. Exported for its test.
 */
export function parseNames(output: string, segmentSizeBytes: number): VolumeEntry[] {
  return output.split('\n').flatMap(line => {
    const [, name, size] = /^\s*(?:\S*\/)?([^\s/]+)(?:\s+(\d+))?\s*$/.exec(line) ?? []
    if (name === undefined) return []
    const sizeBytes = size === undefined ? (splitCompression(name).compression ? 1 : segmentSizeBytes) : Number(size)
    return [{ path: name, sizeBytes, kind: 'file' as const, version: `${sizeBytes}` }]
  })
}

/** @throws {CannotRun} when it does not exit with 0, with what it printed on standard error. */
async function run(variable: string, command: string): Promise<Buffer> {
  const { exitCode, signal, stdout, stderr, timedOut } = await execa('sh', ['-c', command], {
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    stdin: 'ignore',
    timeout: deadlinesMs.userCommand,
  })
  if (exitCode === 0) return Buffer.from(stdout)
  const how = timedOut ? `did not end in ${deadlinesMs.userCommand / 1000} s` : `ended with ${exitCode ?? signal}`
  const said = redact(Buffer.from(stderr).toString('utf8').trim()).split('\n').at(-1)
  throw new CannotRun(`${variable} ${how}${said ? `: ${said}` : ''}; try it by hand`)
}
