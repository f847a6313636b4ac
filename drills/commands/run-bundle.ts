import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { sealRun } from '../../helpers/evidence/run-facts.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { identify, type ProcessIdentity, stateOf } from '../../helpers/run/identity.ts'
import type { CompletedBundle } from '../../reports/bundle/complete.ts'
import type { BundleSettings } from '../../reports/bundle/settings.ts'
import { locked } from '../../reports/history/lock.ts'
import { writeWhole } from '../../reports/run-folder.ts'

/** Beside the runs' folders: a file for each run whose process has still to complete its folder. */
const MARKS = '.running'

interface Mark {
  process: ProcessIdentity
  /** The folder of its history. */
  history: string
}

/** What a run leaves, from its first record to its seal. */
export class RunBundle {
  readonly #directory: string
  readonly #settings: BundleSettings
  /** Loaded beside the drills: at the end, perhaps in a process that is exiting, there is no time for it. */
  #loading: Promise<typeof import('../../reports/bundle/complete.ts')> | undefined
  #completeBundle: ((directory: string, settings: BundleSettings) => CompletedBundle) | undefined
  #isCompleted = false

  constructor(directory: string, settings: BundleSettings) {
    this.#directory = directory
    this.#settings = settings
  }

  /** To be called before vitest starts, and with it the reporter: whatever record there is, the next run knows of it. */
  begin(): void {
    const mark: Mark = { process: identify(process.pid), history: this.#settings.historyFolder }
    writeWhole(markOf(this.#directory), JSON.stringify(mark))
    this.#loading = import('../../reports/bundle/complete.ts')
    this.#loading.then(
      loaded => {
        this.#completeBundle = loaded.completeBundle
      },
      // Told to whoever awaits it.
      () => undefined,
    )
    process.once('exit', () => this.#completeInTheEnd())
  }

  /**
   * Where nothing has begun, there is nothing to complete.
   * @returns lines for the terminal.
   * @throws {CannotRun} when it cannot be written.
   */
  async complete(): Promise<string[]> {
    const loaded = await this.#loading
    const completed = loaded && this.#complete(loaded.completeBundle)
    if (!completed) return []
    const { report, digest } = completed
    const warnings = report.trends.flatMap(({ warning }) => (warning === undefined ? [] : [`! ${warning}`]))
    return [...warnings, `report:   ${fromHere(path.join(this.#directory, 'index.html'))}`, `digest:   ${digest}`]
  }

  /** Of a run that ends the short way: whoever started it is told as by the long one. */
  #completeInTheEnd(): void {
    try {
      if (this.#completeBundle) this.#complete(this.#completeBundle)
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error
      process.stderr.write(`${error.message}\n`)
    }
  }

  #complete(
    completeBundle: (directory: string, settings: BundleSettings) => CompletedBundle,
  ): CompletedBundle | undefined {
    if (this.#isCompleted) return undefined
    this.#isCompleted = true
    sealRun()
    // Where not even the first record could be written, whoever tried has said why.
    const completed = hasRecord(this.#directory) ? completeBundle(this.#directory, this.#settings) : undefined
    rmSync(markOf(this.#directory))
    return completed
  }
}

/**
 * Completes the folders of runs that were killed before they could: whose process is proven dead. Those of another history
 * are left to the next run of that one: here they would be named by runs that do not follow them.
 * @returns a line for each.
 */
export async function completeCutOffRuns(out: string, settings: BundleSettings): Promise<string[]> {
  if (cutOffRunsIn(out, settings).length === 0) return []
  const { completeBundle } = await import('../../reports/bundle/complete.ts')
  // Of two runs that begin at once, both would find them.
  return locked(path.join(out, `${MARKS}.lock`), () =>
    cutOffRunsIn(out, settings).map(id => {
      const directory = path.join(out, id)
      if (!hasRecord(directory)) {
        rmSync(markOf(directory))
        return `The run ${id} was killed before its first record: there is nothing to complete`
      }
      try {
        completeBundle(directory, settings)
        rmSync(markOf(directory))
        return `Completed what the run ${id} left, which was killed: ${fromHere(directory)}`
      } catch (error) {
        if (!(error instanceof CannotRun)) throw error
        // Its mark stays: what is in the way may be gone when the next run begins.
        return `What the run ${id} left, which was killed, cannot be completed: ${error.message}`
      }
    }),
  )
}

function cutOffRunsIn(out: string, settings: BundleSettings): string[] {
  const marks = path.join(out, MARKS)
  const names = existsSync(marks) ? readdirSync(marks) : []
  return names.filter(id => isCutOff(path.join(marks, id), settings)).sort()
}

function hasRecord(directory: string): boolean {
  return existsSync(path.join(directory, 'evidence.json'))
}

function markOf(directory: string): string {
  return path.join(path.dirname(directory), MARKS, path.basename(directory))
}

function isCutOff(file: string, { historyFolder }: BundleSettings): boolean {
  const mark = readMark(file)
  return mark !== undefined && mark.history === historyFolder && stateOf(mark.process) === 'dead'
}

/** Other runs begin and end meanwhile: none where the mark is gone, or another process is still writing it. */
function readMark(file: string): Mark | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** As it is to be typed. */
function fromHere(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}
