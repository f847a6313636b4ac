import path from 'node:path'
import type { TestAnnotation, UserConsoleLog } from 'vitest'
import type { Reporter, SerializedError, TestCase, TestModule, TestSpecification, Vitest } from 'vitest/node'
import { byId } from '../helpers/evidence/declared-drills.ts'
import type { Evidence, Problem } from '../helpers/evidence/evidence.ts'
import { parseProgress } from '../helpers/evidence/progress.ts'
import { redactText } from '../helpers/evidence/redact.ts'
import { announced, concludeRun, onAnnouncement, type RunFacts } from '../helpers/evidence/run-facts.ts'
import { CannotRun } from '../helpers/failure.ts'
import { allSteps, buildDrill, buildEvidence, type DrillRecord, type RunProgress } from './build-evidence.ts'
import { asErrors, drillIdOf, drillRecordOf, errorsOutsideDrills, isLeftOut } from './drill-record.ts'
import { writeMetrics } from './metrics/metrics-file.ts'
import { notEndedHtml } from './not-ended.ts'
import { fromError } from './problem.ts'
import { LiveBars } from './progress/live-bars.ts'
import { PlainLines } from './progress/plain-lines.ts'
import type { ProgressDisplay } from './progress/progress-display.ts'
import { makeRunFolder, writeWhole } from './run-folder.ts'
import { selectedBy } from './selection.ts'
import { TerminalText } from './terminal.ts'

/**
 * Vitest's reporter of a run of drills, and the only one that prints. Keeps `evidence.json` true at every moment: a run
 * that is killed leaves a record that says `running`, which is never a pass.
 */
export default class DrillReporter implements Reporter {
  readonly #terminal = new TerminalText(columns(), hasColour())
  readonly #progressDisplay: ProgressDisplay = canDraw()
    ? new LiveBars(terminals(), (id, progress, width) => this.#terminal.bar(id, progress, width))
    : new PlainLines((id, progress) => this.#print(this.#terminal.progressed(id, progress)))
  readonly #records = new Map<string, DrillRecord>()
  /** How many steps of a test have been printed. */
  readonly #said = new Map<string, number>()
  /** Ends of drills that wait to be printed, by test. */
  readonly #endings = new Map<string, { lines: string[]; steps: number }>()
  #vitest: Vitest | undefined
  #facts: RunFacts | undefined
  #progress: RunProgress = { state: 'running', problems: [] }
  #expected: readonly TestSpecification[] = []
  #isCancelled = false
  /** Why the record on disk is not what is known. */
  #unwritten: string | undefined
  /** What was said last of that. */
  #givenUp: string | undefined
  #offCancel: (() => void) | undefined

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
    onAnnouncement(() => this.#hear())
    this.#hear()
    // Before what seals the record, which has been waiting for the exit for longer.
    process.prependOnceListener('exit', () => {
      this.#progressDisplay.close()
      this.#cutOff()
    })
  }

  /** Ended in the middle, by a signal that could not wait or by an error: that is not to be read as running. */
  #cutOff(): void {
    if (this.#progress.state !== 'running') return
    const modules = this.#vitest?.state.getTestModules() ?? []
    this.#takeStock(modules, true)
    const problems = this.#neverLoaded(modules)
    this.#progress = { state: 'interrupted', endedAt: new Date().toISOString(), problems }
    const evidence = this.#writeIfPossible()
    if (evidence) this.#print(this.#terminal.summary(evidence, this.#evidenceFile()))
  }

  async onTestRunStart(specifications: readonly TestSpecification[]): Promise<void> {
    // Now, and not when it is needed: it takes what a process that is ending has no time for.
    this.#expected = this.#vitest ? await selectedBy(this.#vitest, specifications) : specifications
  }

  /** A run that is killed leaves a record that says of these that they did not end. */
  onTestModuleCollected(module: TestModule): void {
    this.#takeStock([module], false)
    this.#writeIfPossible()
  }

  onTestModuleQueued(): void {
    // Not before: vitest forgets who wants to hear of a cancellation when a run starts.
    this.#offCancel ??= this.#vitest?.onCancel(() => {
      this.#isCancelled = true
    })
  }

  onTestCaseAnnotate(test: TestCase, { message, type }: TestAnnotation): void {
    if (type === 'progress') {
      this.#showProgress(test, message)
      return
    }
    // Of a run that is put together from shards nothing happens now.
    if (!this.#facts?.shards) this.#print(this.#terminal.said(drillIdOf(test), this.#redacted(message)))
    if (type === 'step') this.#said.set(test.id, (this.#said.get(test.id) ?? 0) + 1)
    this.#printEnding(test.id)
  }

  #showProgress(test: TestCase, message: string): void {
    // A drill's result may overtake what it told last: nothing of it goes on.
    if (this.#records.get(test.id)?.state !== 'pending') return
    const progress = parseProgress(message)
    const { what, at } = progress
    const redacted = { ...progress, what: this.#redacted(what), ...(at !== undefined && { at: this.#redacted(at) }) }
    this.#progressDisplay.show(test.id, drillIdOf(test), redacted)
  }

  onUserConsoleLog({ content }: UserConsoleLog): void {
    this.#print(this.#terminal.quoted(this.#redacted(content)))
  }

  onTestCaseResult(test: TestCase): void {
    if (isLeftOut(test)) return
    this.#progressDisplay.forget(test.id)
    const record = drillRecordOf(test, this.#isCancelled)
    this.#records.set(test.id, record)
    if (!this.#facts) return
    const drill = buildDrill(record, this.#facts)
    this.#endings.set(test.id, { lines: this.#terminal.ended(drill), steps: allSteps(drill.steps).length })
    this.#printEnding(test.id)
    this.#writeIfPossible()
  }

  onTestModuleEnd(module: TestModule): void {
    for (const test of module.children.allTests()) {
      // Of one whose worker has died there is no result.
      this.#progressDisplay.forget(test.id)
      this.#printEnding(test.id, true)
    }
  }

  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly SerializedError[],
    reason: 'passed' | 'failed' | 'interrupted',
  ): void {
    this.#offCancel?.()
    this.#progressDisplay.close()
    for (const testId of [...this.#endings.keys()]) this.#printEnding(testId, true)
    this.#takeStock(modules, reason === 'interrupted')
    const outside = [...asErrors(unhandled), ...modules.flatMap(errorsOutsideDrills)].map(
      error => fromError(error).problem,
    )
    this.#progress = {
      state: reason === 'interrupted' ? 'interrupted' : 'finished',
      endedAt: this.#facts?.endedAt ?? new Date().toISOString(),
      problems: [...outside, ...this.#neverLoaded(modules)],
    }
    const evidence = this.#writeIfPossible()
    if (this.#unwritten !== undefined) {
      this.#giveUp(this.#unwritten)
      return
    }
    const refusal = this.#records.size === 0 ? outside.find(problem => problem.kind === 'CannotRun') : undefined
    if (!evidence || refusal) {
      concludeRun({ verdict: 'unknown', exitStatus: 2 })
      const why = refusal ? [refusal.message] : outside.map(({ kind, message }) => `${kind}: ${message}`)
      this.#print(why.flatMap(sentence => this.#terminal.refused(this.#redacted(sentence))))
      return
    }
    this.#conclude(evidence)
    this.#print([...this.#leftOut(modules), ...this.#terminal.summary(evidence, this.#evidenceFile())])
  }

  /** A failed drill's result overtakes the last steps that it told: those go first. */
  #printEnding(testId: string, isLate = false): void {
    const ending = this.#endings.get(testId)
    if (!ending || (!isLate && (this.#said.get(testId) ?? 0) < ending.steps)) return
    this.#endings.delete(testId)
    this.#print(ending.lines)
  }

  /** Something was announced: the run itself, or a problem of it, which may come after its end. */
  #hear(): void {
    const { facts } = announced()
    if (!facts) return
    const isFirst = !this.#facts
    if (isFirst) {
      this.#facts = facts
      makeRunFolder(facts.directory)
      this.#print(this.#terminal.heading(facts.runtime).map(line => this.#redacted(line)))
    }
    // What is thrown from the first reaches the command, before anything has begun.
    const evidence = isFirst ? this.#write() : this.#writeIfPossible()
    // After the record, for which there may be room alone.
    if (isFirst) writeWhole(path.join(facts.directory, 'index.html'), notEndedHtml(facts))
    if (this.#unwritten !== undefined) {
      this.#giveUp(this.#unwritten)
      return
    }
    if (!evidence || evidence.run.state === 'running') return
    this.#conclude(evidence)
    const latest = announced().problems.at(-1)
    if (latest) this.#print(this.#terminal.concluded(evidence.run.verdict, this.#redacted(latest.message)))
  }

  /** Counts every test that there is, also those of which no result was told, so that none is silently missing. */
  #takeStock(modules: readonly TestModule[], isInterrupted: boolean): void {
    for (const test of modules.flatMap(module => [...module.children.allTests()])) {
      if (isLeftOut(test)) continue
      const told = this.#records.get(test.id)
      const cancelled = told && told.state !== 'pending' ? told.cancelled : isInterrupted
      this.#records.set(test.id, drillRecordOf(test, cancelled))
    }
  }

  /** Of the files that were selected. One may be run in several projects, once in each. */
  #neverLoaded(modules: readonly TestModule[]): Problem[] {
    const keyOf = ({ project, moduleId }: TestModule | TestSpecification) => `${project.name} ${moduleId}`
    const loaded = new Set(modules.filter(module => module.children.size > 0 || module.errors().length > 0).map(keyOf))
    const missing = this.#expected.filter(specification => !loaded.has(keyOf(specification)))
    return missing.map(({ moduleId }) => ({
      kind: 'file-not-run',
      message: `${path.relative(process.cwd(), moduleId)} was to be run, and was not`,
    }))
  }

  #leftOut(modules: readonly TestModule[]): string[] {
    const loaded = modules.flatMap(module => [...module.children.allTests()].filter(isLeftOut).map(drillIdOf))
    const ids = [...loaded, ...(this.#facts?.leftOut ?? [])].sort(byId.compare)
    return ids.length === 0 ? [] : ['', ...this.#terminal.refused(`left out by the selection: ${ids.join(', ')}`)]
  }

  /** However the drills went, there is no record of it. */
  #giveUp(why: string): void {
    concludeRun({ verdict: 'unknown', exitStatus: 2 })
    if (why !== this.#givenUp) this.#print(this.#terminal.refused(this.#redacted(why)))
    this.#givenUp = why
  }

  /** From where nothing may be thrown: vitest would end with a stack, and no drill with it. */
  #writeIfPossible(): Evidence | undefined {
    this.#unwritten = undefined
    try {
      return this.#write()
    } catch (error) {
      if (!(error instanceof CannotRun)) throw error
      this.#unwritten = error.message
      return undefined
    }
  }

  #write(): Evidence | undefined {
    if (!this.#facts || announced().isSealed) return undefined
    const problems = [...this.#progress.problems, ...announced().problems]
    const evidence = buildEvidence(this.#facts, [...this.#records.values()], { ...this.#progress, problems })
    writeWhole(this.#evidenceFile(), `${JSON.stringify(evidence, null, 2)}\n`)
    return evidence
  }

  #conclude(evidence: Evidence): void {
    const { run } = evidence
    this.#tellMetrics(evidence)
    // Nothing exercised, and nothing wrong with that, is a shard alone.
    const isGood = run.verdict === 'passed' || run.verdict === 'not exercised'
    const couldNotRun = announced().outcome?.exitStatus === 2
    concludeRun({ verdict: run.verdict, exitStatus: couldNotRun ? 2 : isGood ? 0 : 1 })
    // For whoever starts vitest without the command: vitest passes a run in which nothing failed.
    if (!isGood) process.exitCode = 1
  }

  /** A run is not judged by it: metrics that grow old are noticed by those who watch them. */
  #tellMetrics(evidence: Evidence): void {
    try {
      const unreadable = writeMetrics(path.dirname(this.#facts?.directory ?? ''), evidence)
      if (unreadable.length > 0)
        this.#print(
          this.#terminal.refused(`left out of the metrics, since it cannot be read: ${unreadable.join(', ')}`),
        )
    } catch (error) {
      this.#print(this.#terminal.refused(this.#redacted((error as Error).message)))
    }
  }

  #evidenceFile(): string {
    const file = path.join(this.#facts?.directory ?? '', 'evidence.json')
    const relative = path.relative(process.cwd(), file)
    return relative.startsWith('..') ? file : relative
  }

  #redacted(text: string): string {
    return redactText(text, this.#facts?.secrets ?? [])
  }

  #print(lines: readonly string[]): void {
    process.stdout.write(lines.map(line => `${line}\n`).join(''))
  }
}

/** A terminal may say that it has none. */
function columns(): number {
  return Math.max(process.stdout.columns || 80, 40)
}

/** Somebody sees what is drawn, and it can be drawn over. */
function canDraw(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb' && !process.env.CI
}

/** What is written to any of them is seen where bars are drawn. */
function terminals(): [NodeJS.WriteStream, ...NodeJS.WriteStream[]] {
  return process.stderr.isTTY ? [process.stdout, process.stderr] : [process.stdout]
}

/** @see https://no-color.org */
function hasColour(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.stdout.hasColors()
}
