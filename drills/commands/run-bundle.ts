import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { identify, type ProcessIdentity, stateOf } from '../../helpers/run/identity.ts'
import type { CompletedBundle } from '../../reports/bundle/complete.ts'
import type { BundleSettings } from '../../reports/bundle/settings.ts'
import { writeWhole } from '../../reports/run-folder.ts'

/** In a run's folder for as long as its process has to complete it: names that process. */
const MARK = '.running'

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

  /** To be called once the first record is there. */
  begin(): void {
    writeWhole(path.join(this.#directory, MARK), JSON.stringify(identify(process.pid)))
    this.#loading = import('../../reports/bundle/complete.ts')
    this.#loading.then(
      loaded => {
        this.#completeBundle = loaded.completeBundle
      },
      // Told to whoever awaits it.
      () => undefined,
    )
    process.once('exit', () => {
      if (this.#completeBundle) this.#complete(this.#completeBundle)
    })
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

  #complete(
    completeBundle: (directory: string, settings: BundleSettings) => CompletedBundle,
  ): CompletedBundle | undefined {
    if (this.#isCompleted) return undefined
    this.#isCompleted = true
    rmSync(path.join(this.#directory, MARK), { force: true })
    return completeBundle(this.#directory, this.#settings)
  }
}

/**
 * Completes the folders of runs that were killed before they could: whose process is proven dead.
 * @returns a line for each.
 * @throws {CannotRun} when one cannot be written.
 */
export async function completeCutOffRuns(out: string, settings: BundleSettings): Promise<string[]> {
  const cutOff = foldersIn(out).filter(directory => isOwnerDead(path.join(directory, MARK)))
  if (cutOff.length === 0) return []
  const { completeBundle } = await import('../../reports/bundle/complete.ts')
  return cutOff.map(directory => {
    rmSync(path.join(directory, MARK))
    completeBundle(directory, settings)
    return `Completed what the run ${path.basename(directory)} left, which was killed: ${fromHere(directory)}`
  })
}

function isOwnerDead(mark: string): boolean {
  return existsSync(mark) && stateOf(JSON.parse(readFileSync(mark, 'utf8')) as ProcessIdentity) === 'dead'
}

function foldersIn(out: string): string[] {
  if (!existsSync(out)) return []
  return readdirSync(out, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => path.join(out, name))
    .sort()
}

/** As it is to be typed. */
function fromHere(file: string): string {
  const relative = path.relative(process.cwd(), file)
  return relative.startsWith('..') ? file : relative
}
