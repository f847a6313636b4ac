import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { deadlinesMs } from '../deadlines.ts'
import { CannotRun } from '../failure.ts'
import { identify } from './identity.ts'
import { own, RUN_DIRECTORY_PREFIX, type RunContext, runsFolder } from './registry.ts'
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

  /** @throws {CannotRun} when the temporary folder cannot be written to (any more: `load-typescript.js` has tried). */
  static open(id: string): Run {
    const directory = path.join(runsFolder(), `${RUN_DIRECTORY_PREFIX}${id}`)
    const owner = identify(process.pid)
    try {
      mkdirSync(directory, { mode: 0o700 })
      own({ directory }, { kind: 'owner', process: owner })
    } catch (cause) {
      throw new CannotRun(
        `the temporary folder ${runsFolder()} cannot be written to (${(cause as Error).message}): set TMPDIR to one that can`,
        { cause },
      )
    }
    return new Run({ id, directory, password: randomBytes(18).toString('base64url') })
  }

  private constructor(context: RunContext) {
    this.context = context
    // The servers' user may pass through, and read nothing.
    chmodSync(context.directory, 0o711)
    this.#janitor = spawn(process.execPath, [...JANITOR, 'watch', context.directory], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#janitor.unref()
    ;(this.#janitor.stdin as unknown as { unref(): void }).unref()
    process.once('exit', () => this.#sweepNow())
  }

  /** No drill begins any more. Those under way are not ended by it. */
  interrupt(): void {
    own(this.context, { kind: 'interrupted' })
  }

  /**
   * The orderly end. What it still found besides the folder is a leak, and the drills' fault.
   * @throws when something stays: then the janitor tries again when this process has ended, and the next run once more.
   */
  async close(): Promise<Swept> {
    const swept = await sweepRun(this.context.directory, { workersToo: false })
    const isGone = once(this.#janitor, 'exit')
    this.#janitor.ref()
    if (this.#janitor.kill('SIGKILL')) await isGone
    return swept
  }

  /** Ends what is left, synchronously: this process is about to exit. */
  #sweepNow(): void {
    if (this.#janitor.killed || !existsSync(this.context.directory)) return
    const { status } = spawnSync(process.execPath, [...JANITOR, 'sweep', this.context.directory], {
      stdio: 'ignore',
      timeout: deadlinesMs.sweep,
    })
    if (status === 0) this.#janitor.kill('SIGKILL')
  }
}
