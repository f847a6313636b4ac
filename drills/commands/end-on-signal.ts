import type { Reporter, Vitest } from 'vitest/node'
import { deadlinesMs } from '../../helpers/deadlines.ts'
import type { Run } from '../../helpers/run/run.ts'

const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const

/** npm passes on to its child what the whole process group has got already. */
const SAME_SIGNAL_MS = 500

/** npm may be gone before anybody looks. */
const PARENT = process.ppid

/**
 * Ends a run on a signal, or when npm has died. Vitest's own handlers exit within a millisecond, with no fixture's clean-up.
 * Cancelled instead, the drills under way clean up and the report is written. While nothing runs yet, at a second signal
 * and after a deadline it ends the short way: exit, on which the run sweeps.
 *
 * A reporter, since vitest forgets a cancellation that comes before its workers have begun.
 */
export class Interruption implements Reporter {
  readonly #run: Run
  #vitest: Vitest | undefined
  #haveWorkersBegun = false
  #firstAtMs: number | undefined
  #isCancelled = false

  constructor(run: Run) {
    this.#run = run
    this.#listen()
    this.#endWithNpm()
    // A terminal that is gone, or a reader that has read enough, must not end the run in the middle of its clean-up.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  }

  /** From now on there is something to cancel, and a report to write. */
  govern(vitest: Vitest): void {
    this.#vitest = vitest
    // Vitest, and what it loads, has put in handlers of its own.
    this.#listen()
  }

  onTestModuleQueued(): void {
    this.#haveWorkersBegun = true
    this.#cancelIfEnding()
  }

  #listen(): void {
    for (const [signal, number] of SIGNALS) {
      process.removeAllListeners(signal)
      process.on(signal, () => this.#end(signal, 128 + number))
    }
  }

  #end(what: string, exitStatus: number): void {
    if (this.#firstAtMs !== undefined) {
      if (performance.now() - this.#firstAtMs > SAME_SIGNAL_MS) process.exit(exitStatus)
      return
    }
    this.#firstAtMs = performance.now()
    console.error(`\n${what}: cleaning up; once more to end at once`)
    process.prependListener('exit', () => {
      process.exitCode = exitStatus
    })
    // A worker that was only just being started may have got the signal, on which vitest breaks.
    process.on('uncaughtException', () => process.exit(exitStatus))
    if (!this.#vitest) process.exit(exitStatus)
    this.#run.interrupt()
    setTimeout(() => process.exit(exitStatus), deadlinesMs.interruptedRun).unref()
    this.#cancelIfEnding()
  }

  /** Once: vitest kills its workers when it is told again. */
  #cancelIfEnding(): void {
    if (this.#firstAtMs === undefined || !this.#haveWorkersBegun || this.#isCancelled) return
    this.#isCancelled = true
    void this.#vitest?.cancelCurrentRun('keyboard-input')
  }

  /** npm does not pass on its own death: whoever was started by it looks whether it is still there. */
  #endWithNpm(): void {
    if (process.env.npm_lifecycle_event === undefined) return
    const watch = setInterval(() => {
      if (process.ppid === PARENT) return
      clearInterval(watch)
      this.#end('npm is gone', 143)
    }, 250)
    watch.unref()
  }
}
