import { styleText } from 'node:util'
import type { Drill, Evidence, Problem, Verdict } from '../helpers/evidence/evidence.ts'
import type { Progress } from '../helpers/evidence/progress.ts'
import { harmless, secondsText, sizesText, wrap } from './layout.ts'
import { barText, progressSentence } from './progress/progress-text.ts'
import { verdictCounts } from './verdicts.ts'

const ID_COLUMNS = 5
const FACTS_MAX = 12
const FACT_LINES_MAX = 14
const BELOW_LINES_MAX = 3

type Style = Parameters<typeof styleText>[0]

/** What is printed, line by line, for a terminal of a width, in colour or without. Every line must already be free of secrets. */
export class TerminalText {
  readonly #columns: number
  readonly #isColoured: boolean

  constructor(columns: number, isColoured: boolean) {
    this.#columns = columns
    this.#isColoured = isColoured
  }

  /** A run's first line: what it runs on, and why on that. */
  heading({ name, serverVersion, image, reason }: Evidence['runtime']): string[] {
    const where = image === undefined ? `the ${name} runtime` : `the ${name} runtime with the image ${image}`
    return wrap(harmless(`PostgreSQL ${serverVersion} on ${where}: ${reason}`), this.#columns, 2)
  }

  /** How far a long step has come, in one line that is shorter than `columns`, which may have changed by now. */
  bar(id: string, progress: Progress, columns: number): string {
    return this.#front(harmless(id), 0) + barText(progress, columns - ID_COLUMNS)
  }

  /** The same, as a line that stays. */
  progressed(id: string, progress: Progress): string[] {
    return this.said(id, `  … ${progressSentence(progress)}`)
  }

  /** A line that a drill says while it runs: a step that has ended. Its own leading spaces show the depth. */
  said(id: string, message: string): string[] {
    const lines = wrap(harmless(message), this.#columns - ID_COLUMNS, 2)
    return lines.map((line, index) => this.#front(id, index) + this.#marked(line))
  }

  /** What a file that belongs to no drill said. */
  quoted(text: string): string[] {
    return harmless(text)
      .trimEnd()
      .split('\n')
      .map(line => this.#style('dim', line))
  }

  /** A drill's end: its verdict, and what went wrong with the facts that were seen. */
  ended(drill: Drill): string[] {
    const after = drill.durationSeconds === 0 ? '' : ` after ${secondsText(drill.durationSeconds)}`
    const told = `${marks[drill.verdict]} ${drill.verdict}${after}: ${drill.title}`
    const lines = wrap(harmless(told), this.#columns - ID_COLUMNS, 2)
    const body = [
      ...(drill.reason === undefined ? [] : wrap(harmless(`  ${drill.reason}`), this.#columns - ID_COLUMNS)),
      ...drill.problems.flatMap(problem => this.#problem(problem, drill.verdict)),
    ]
    return [
      ...lines.map((line, index) => this.#front(drill.id, index) + this.#style(styles[drill.verdict], line)),
      ...body.map(line => ' '.repeat(ID_COLUMNS) + line),
    ]
  }

  /** The table at a run's end, what is wrong with the run itself, and where the evidence is. */
  summary(evidence: Evidence, file: string): string[] {
    const { run, drills } = evidence
    const rows = [['drill', 'verdict', 'RTO', 'RPO', 'took'], ...drills.map(rowOf)]
    const widths = rows.reduce(
      (most, row) => row.map((cell, index) => Math.max(cell.length, most[index] ?? 0)),
      [] as number[],
    )
    const lines = rows.map(row =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    const [head = '', ...body] = lines
    const table = drills.flatMap((drill, index) => [
      this.#verdictIn(body[index] ?? '', drill.verdict),
      ...this.#below(drill),
    ])
    return [
      ...(table.length > 0 ? ['', this.#style('bold', head), ...table] : []),
      '',
      ...run.problems.flatMap(problem => this.#problem(problem, 'unknown')),
      ...this.concluded(run.verdict, verdictCounts(drills) || 'no drill'),
      `evidence: ${file}`,
    ]
  }

  /** A run's verdict, and what it comes from. */
  concluded(verdict: Verdict, why: string): string[] {
    return wrap(harmless(`${marks[verdict]} run ${verdict}: ${why}`), this.#columns).map(line =>
      this.#style(styles[verdict], line),
    )
  }

  /** Why there was no run: the sentence alone. */
  refused(sentence: string): string[] {
    return wrap(harmless(sentence), this.#columns)
  }

  #front(id: string, line: number): string {
    return this.#style('cyan', (line === 0 ? id : '').padEnd(ID_COLUMNS))
  }

  /** A step's line, its mark in the colour of what it says. */
  #marked(line: string): string {
    const [, margin = '', mark = '', rest = ''] = /^( *)([✓✗?○]?)(.*)$/su.exec(line) ?? []
    const verdict = (Object.keys(marks) as Verdict[]).find(one => marks[one] === mark)
    return verdict ? margin + this.#style(styles[verdict], mark) + rest : line
  }

  #problem(problem: Problem, verdict: Verdict): string[] {
    const columns = this.#columns - ID_COLUMNS
    const facts = Object.entries(problem.evidence ?? {}).slice(0, FACTS_MAX)
    // The stack of a proof that did not hold leads nowhere: it is the server that is wrong, not the code.
    const stack = verdict === 'unknown' && problem.kind !== 'CannotRun' ? (problem.stack ?? '') : ''
    return [
      ...wrap(indented(2, `${problem.kind}: ${problem.message}`), columns, 2),
      ...facts.flatMap(([key, value]) =>
        shortened(wrap(indented(4, `${key}: ${factText(value)}`), columns, 2), FACT_LINES_MAX),
      ),
      ...stack
        .split('\n')
        .filter(Boolean)
        .map(frame => this.#style('dim', `    ${harmless(frame)}`)),
    ]
  }

  #verdictIn(row: string, verdict: Verdict): string {
    return row.replace(verdict, () => this.#style(styles[verdict], verdict))
  }

  /** What belongs to a row of the table but not into a cell. */
  #below(drill: Drill): string[] {
    const [problem] = drill.problems
    const why = drill.reason ?? (problem && `${problem.kind}: ${problem.message}`)
    const told = [
      why?.split('\n')[0],
      commitsText(drill),
      atThisSize(drill),
      deviationsText(drill),
      drill.sabotage && `sabotaged: ${drill.sabotage}`,
    ]
    const wrapped = (line: string) => wrap(harmless(`       ${line}`), this.#columns)
    return [
      ...told
        .filter(line => line !== undefined)
        .filter(line => line !== '')
        .flatMap(line => shortened(wrapped(line), BELOW_LINES_MAX)),
      // Each on one line, however long: who keeps data looks for it here, and copies the commands that start a server on it.
      ...drill.kept.map(what => harmless(`       kept: ${what}`)),
    ].map(line => this.#style('dim', line))
  }

  #style(style: Style, text: string): string {
    return this.#isColoured ? styleText(style, text, { validateStream: false }) : text
  }
}

const marks: Record<Verdict, string> = { passed: '✓', failed: '✗', unknown: '?', 'not exercised': '○' }
const styles: Record<Verdict, Style> = { passed: 'green', failed: 'red', unknown: 'yellow', 'not exercised': 'dim' }

function rowOf(drill: Drill): string[] {
  return [
    harmless(drill.id),
    drill.verdict,
    objectiveText(drill.rto),
    objectiveText(drill.rpo),
    drill.durationSeconds === 0 ? '-' : secondsText(drill.durationSeconds),
  ]
}

function objectiveText(measured: Drill['rto'] | Drill['rpo']): string {
  if (!measured) return '-'
  const { seconds, objectiveSeconds, verdict } = measured
  if (objectiveSeconds === undefined) return secondsText(seconds)
  return `${secondsText(seconds)} of ${objectiveSeconds} s, ${verdict === 'missed' ? 'missed' : 'met'}`
}

function commitsText({ rpo }: Drill): string {
  if (rpo?.promisedCommits === undefined) return ''
  return `commits: ${rpo.promisedCommits} promised, ${rpo.missingCommits} missing, ${rpo.discardedCommits} discarded`
}

/** A time says nothing without the size that it was measured at. */
function atThisSize({ sizes, rto, rpo }: Drill): string {
  return rto || rpo ? `at this size: ${sizesText(sizes) || 'not measured'}` : ''
}

function deviationsText({ deviations }: Drill): string {
  return deviations.length === 0
    ? ''
    : `beyond the runbook: ${deviations.length === 1 ? 'one step' : `${deviations.length} steps`}, with proposed text in the evidence`
}

function factText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** All lines of `text` moved to the right; those after the first, two more. */
function indented(columns: number, text: string): string {
  const margin = ' '.repeat(columns)
  return margin + harmless(text).replaceAll('\n', `\n${margin}  `)
}

/** The mark has a line of its own: behind a command it would be copied with it. */
function shortened(lines: string[], linesMax: number): string[] {
  if (lines.length <= linesMax) return lines
  const [margin = ''] = /^ */.exec(lines[linesMax] ?? '') ?? []
  return [...lines.slice(0, linesMax), `${margin}…`]
}
