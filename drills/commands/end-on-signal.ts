import type { Vitest } from 'vitest/node'
import { deadlinesMs } from '../../helpers/deadlines.ts'

const SIGNALS = [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const

/** npm passes on to its child what the whole process group has got already. */
const SAME_SIGNAL_MS = 500

/**
 * Vitest's own handlers exit within a millisecond, with no fixture's clean-up. Cancelled instead, the drills under way
 * clean up and the report is written. A second signal, or a deadline, ends it the short way: exit, on which the run sweeps.
 */
export function endOnSignal(vitest: Vitest): void {
  let firstAtMs: number | undefined
  const end = (what: string, number: number) => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now()
      console.error(`\n${what}: cleaning up; once more to end at once`)
      process.prependListener('exit', () => {
        process.exitCode = 128 + number
      })
      setTimeout(() => process.exit(128 + number), deadlinesMs.interruptedRun).unref()
      void vitest.cancelCurrentRun('keyboard-input')
    } else if (performance.now() - firstAtMs > SAME_SIGNAL_MS) process.exit(128 + number)
  }
  for (const [signal, number] of SIGNALS) {
    process.removeAllListeners(signal)
    process.on(signal, () => end(signal, number))
  }
  endWithNpm(() => end('npm is gone', 15))
}

/** npm does not pass on its own death: whoever was started by it looks whether it is still there. */
function endWithNpm(end: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    end()
  }, 250)
  watch.unref()
}
