import { execa } from 'execa'
import { ReadableArchive } from '../archive/readable-archive.ts'
import { deadlinesMs } from '../deadlines.ts'
import { redact } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import { listingScript, NO_FOLDER_STATUS, parseListed, UNREADABLE_STATUS } from '../runtime/container-listing.ts'
import { quoteForShell } from '../runtime/shell.ts'
import { byPath, noFolder, unreadableFolder, type VolumeEntry } from '../runtime/volume.ts'
import { type Space, type Unknown, VOLATILE_NAMES } from './space.ts'

/** The command line of a program in a server's container. */
export type InService = (command: readonly string[]) => string[]

/** A user's own WAL archive in the container of a Compose service: each look costs a command there. */
export class ServiceArchive extends ReadableArchive {
  #listed: { atMs: number; entries: Promise<VolumeEntry[]> } | undefined

  constructor(
    readonly path: string,
    private readonly inService: InService,
    segmentSizeBytes: number,
  ) {
    super(segmentSizeBytes)
  }

  override get reach(): 'whole' {
    return 'whole'
  }

  /** What was listed a moment ago is not listed again. */
  files(): Promise<VolumeEntry[]> {
    const now = performance.now()
    if (!this.#listed || now - this.#listed.atMs > LISTED_FOR_MS) this.#listed = { atMs: now, entries: this.#list() }
    return this.#listed.entries
  }

  async read(name: string, into?: Buffer): Promise<Buffer> {
    const file = quoteForShell(`${this.path}/${name}`)
    const { status, stdout, said } = await run(this.inService, into ? `head -c ${into.length} ${file}` : `cat ${file}`)
    if (status !== 0) throw new CannotRun(`${name} cannot be read in the service (${said}): let its user read it`)
    return into ? into.subarray(0, stdout.copy(into)) : stdout
  }

  async #list(): Promise<VolumeEntry[]> {
    const { status, stdout, said } = await run(this.inService, listingScript(this.path))
    if (status === NO_FOLDER_STATUS) throw noFolder(this.path)
    if (status === UNREADABLE_STATUS) throw unreadableFolder(this.path, 'permission denied')
    if (status !== 0) throw new CannotRun(`${this.path} cannot be listed in the service: ${said}; try it by hand`)
    const lines = stdout.toString('utf8').split('\n')
    return lines.flatMap(line => parseListed(line) ?? []).sort(byPath)
  }
}

const LISTED_FOR_MS = 500

/** Of a folder in the container. */
export async function serviceSpace(folder: string, inService: InService): Promise<Space | Unknown> {
  const { status, stdout, said } = await run(inService, `stat -f -c '%a %b %S %T' ${quoteForShell(folder)}`)
  const space = status === 0 ? parseSpace(stdout.toString('utf8')) : undefined
  return space ?? { unknown: `${folder} in the service: ${said || 'its space is not told'}` }
}

/** As `stat -f` of coreutils and of busybox print it. Exported for its test. */
export function parseSpace(output: string): Space | undefined {
  const [, free, total, block, type = ''] = /^(\d+) (\d+) (\d+) (\S+)\s*$/.exec(output) ?? []
  if (free === undefined) return undefined
  return {
    freeBytes: Number(free) * Number(block),
    totalBytes: Number(total) * Number(block),
    volatile: VOLATILE_NAMES.find(name => name === type),
  }
}

async function run(inService: InService, script: string): Promise<{ status: number; stdout: Buffer; said: string }> {
  const [program = '', ...args] = inService(['sh', '-c', script])
  const result = await execa(program, args, {
    encoding: 'buffer',
    stripFinalNewline: false,
    reject: false,
    stdin: 'ignore',
    timeout: deadlinesMs.userCommand,
  })
  const said = redact(Buffer.from(result.stderr).toString('utf8').trim()).split('\n').at(-1) ?? ''
  return { status: result.exitCode ?? 1, stdout: Buffer.from(result.stdout), said }
}
