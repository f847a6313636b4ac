import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { CannotRun } from '../failure.ts'
import { identify } from './identity.ts'
import { own, RUN_DIRECTORY_PREFIX, type RunContext } from './registry.ts'
import { type Swept, sweepRun } from './sweep.ts'

const JANITOR = [...process.execArgv, path.join(import.meta.dirname, 'janitor.ts')]

/** One id a run: sorts by time, and no two runs share it, whatever machine or container they are of. */
export function newRunId(): string {
  return `${new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}-${randomBytes(4).toString('hex')}`
}

/**
 * A run as a whole: its folder, its registry, its janitor. Whatever ends the process that opened it, all it owns goes:
 * by `close()`, at the latest by the janitor, and after the janitor was killed too, by the next run's sweep.
 */
export class Run {
  readonly context: RunContext
  readonly #janitor: ChildProcess
  #isOver = false

  /** @throws {CannotRun} when the temporary folder cannot be written to. */
  static open(id: string): Run {
    const directory = path.join(tmpdir(), `${RUN_DIRECTORY_PREFIX}${id}`)
    try {
      mkdirSync(directory, { mode: 0o700 })
    } catch (cause) {
      throw new CannotRun(
        `the temporary folder ${tmpdir()} cannot be written to (${(cause as Error).message}): set TMPDIR to one that can`,
        { cause },
      )
    }
    return new Run({ id, directory, password: randomBytes(18).toString('base64url') })
  }

  private constructor(context: RunContext) {
    this.context = context
    own(context, { kind: 'owner', process: identify(process.pid) })
    // The servers' user may pass through, and read nothing.
    chmodSync(context.directory, 0o711)
    this.#janitor = spawn(process.execPath, [...JANITOR, 'watch', context.directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#janitor.unref()
    ;(this.#janitor.stdin as unknown as { unref(): void }).unref()
    process.once('exit', () => this.sweepNow())
  }

  /** Ends what is left, synchronously: for a process that is about to exit. */
  sweepNow(): void {
    if (this.#isOver || !existsSync(this.context.directory)) return
    this.#isOver = true
    spawnSync(process.execPath, [...JANITOR, 'sweep', this.context.directory], { stdio: 'ignore', timeout: 60_000 })
  }

  /** The orderly end. What it still found besides the folder is a leak, and the drills' fault. */
  async close(): Promise<Swept> {
    const swept = await sweepRun(this.context.directory, { workersToo: false })
    this.#isOver = true
    this.#janitor.stdin?.end('done\n')
    return swept
  }
}
