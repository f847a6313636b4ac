import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { counted, harmless, secondsText, sizesText } from '../layout.ts'
import { filesNotBegun, scopeOf } from '../run-scope.ts'
import { runSeconds } from '../run-seconds.ts'
import type { Exception } from '../tables/exceptions.ts'
import { countOf, VERDICTS } from '../verdicts.ts'

/** What a bundle holds beside its evidence. */
export interface SummaryParts {
  exceptions: readonly Exception[]
  /** `matrix.md`. */
  matrix?: string
  /** SHA-256 of SHA256SUMS, as hex. */
  digest?: string
}

/** A run in Markdown, for the page of the job that ran it: what is wrong first. */
export function summaryOf(evidence: Evidence, { exceptions, matrix, digest }: SummaryParts): string {
  const { run, drills } = evidence
  const slower = exceptions.filter(({ kind }) => kind === 'slower').map(({ sentence }) => sentence)
  const gaps = exceptions.filter(({ kind }) => kind === 'control gap')
  const scope = scopeOf(evidence)
  return [
    `# ${marks[run.verdict]} Recovery drills: ${run.verdict}${run.state === 'finished' ? '' : `, ${run.state}`}${scope === undefined ? '' : ` (${safe(scope)})`}`,
    headingOf(evidence),
    `**${countsText(evidence)}**${gaps.length > 0 ? `; ${gaps.length} controls without a drill that passed` : ''}`,
    ...listOf(
      'Of the run itself',
      run.problems.map(({ kind, message }) => `${kind}: ${message}`),
    ),
    ...tableOf('What did not pass', ['drill', 'verdict', 'what', 'why'], drills.filter(isWrong).map(wrongRow)),
    ...tableOf(
      'RTO and RPO',
      ['drill', 'RTO', 'RPO', 'at this size'],
      drills.filter(({ rto, rpo }) => rto || rpo).map(objectivesRow),
    ),
    ...listOf('Slower than before', slower),
    ...listOf(
      'Not exercised',
      drills
        .filter(({ verdict }) => verdict === 'not exercised')
        .map(({ id, title, reason }) => `${id}, ${title}: ${reason}`),
    ),
    ...(matrix === undefined
      ? []
      : [`<details><summary>Faults and signals</summary>\n\n${matrix.trimEnd()}\n\n</details>`]),
    ...(digest === undefined
      ? []
      : [`Digest of the bundle, for whoever asks later whether it is still the same: \`${digest}\``]),
  ]
    .map(part => `${part}\n`)
    .join('\n')
}

const marks: Record<Verdict, string> = { passed: '✅', failed: '❌', unknown: '❓', 'not exercised': '⚪' }

function headingOf({ run, runtime, suite }: Evidence): string {
  const { serverVersion, name, image } = runtime
  const { id, kind, startedAt, startedBy, shards } = run
  const seconds = runSeconds(run)
  const took = seconds === undefined ? '' : `, ${secondsText(seconds)}`
  const parts = [
    `PostgreSQL ${serverVersion}, ${image === undefined ? name : `${name} (${image})`}`,
    `${kind} run ${id} at ${startedAt}${took}`,
    ...(shards ? [`of ${shards.length} shards`] : []),
    `started by ${startedBy.name} (${startedBy.source})`,
    `suite ${suite.version}, commit ${suite.commit}`,
  ]
  return parts.map(safe).join(' · ')
}

function countsText({ run, drills }: Evidence): string {
  const counts = VERDICTS.map(verdict => `${countOf(verdict, drills)} ${verdict}`)
  const missing = filesNotBegun(run)
  return [...counts, ...(missing > 0 ? [`${counted(missing, 'file')} not begun`] : [])].join(', ')
}

function isWrong({ verdict }: Drill): boolean {
  return verdict === 'failed' || verdict === 'unknown'
}

function wrongRow({ id, verdict, title, reason, problems }: Drill): string[] {
  const [problem] = problems
  return [id, verdict, title, reason ?? (problem ? `${problem.kind}: ${problem.message}` : '')]
}

function objectivesRow({ id, rto, rpo, sizes }: Drill): string[] {
  return [id, measuredText(rto), measuredText(rpo), sizesText(sizes)]
}

function measuredText(measured: Drill['rto'] | Drill['rpo']): string {
  if (!measured) return ''
  const { seconds, objectiveSeconds, verdict } = measured
  return objectiveSeconds === undefined
    ? secondsText(seconds)
    : `${secondsText(seconds)} of ${objectiveSeconds} s, ${verdict === 'missed' ? 'missed ❌' : 'met'}`
}

function listOf(heading: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`## ${heading}\n\n${items.map(item => `- ${safe(item)}`).join('\n')}`]
}

function tableOf(heading: string, head: readonly string[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return []
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const body = rows.map(row => line(row.map(safe)))
  return [`## ${heading}\n\n${[line(head), line(head.map(() => '---')), ...body].join('\n')}`]
}

/** Text on one line, none of which is read as Markdown or HTML: it may come from servers and scripts. */
function safe(text: string): string {
  return harmless(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('\n', '<br>')
}
