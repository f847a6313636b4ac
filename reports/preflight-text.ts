import { styleText } from 'node:util'
import type { PreflightCheck, PreflightReport } from '../helpers/evidence/preflight-report.ts'
import { harmless, secondsText, wrap } from './layout.ts'

const VERDICTS: Readonly<Record<PreflightReport['verdict'], string>> = {
  go: 'GO',
  'no-go': 'NO-GO',
  'could not tell': 'COULD NOT TELL',
}

const MARKS = { ok: '✓', warning: '!', failure: '✗', unknown: '?' } as const
const STYLES = { ok: 'green', warning: 'yellow', failure: 'red', unknown: 'magenta' } as const
const VERDICT_STYLES = { go: 'green', 'no-go': 'red', 'could not tell': 'magenta' } as const

/** What is printed of a preflight, line by line: the verdict, the reasons in the order of their weight, then what is ok. */
export function preflightText(report: PreflightReport, columns: number, isColoured: boolean): string[] {
  const style = (name: Parameters<typeof styleText>[0], text: string) =>
    isColoured ? styleText(name, text, { validateStream: false }) : text
  const bad = report.checks.filter(({ verdict }) => verdict !== 'ok')
  const good = report.checks.filter(({ verdict }) => verdict === 'ok')
  const width = Math.max(0, ...report.checks.map(({ name }) => name.length))
  return [
    ...wrap(headline(report), columns, 2).map(line => style(VERDICT_STYLES[report.verdict], line)),
    ...wrap(harmless(facts(report)), columns, 2),
    ...bad.flatMap(one => ['', ...reason(one, columns, style)]),
    ...(good.length > 0 ? [''] : []),
    ...good.flatMap(one => brief(one, width, columns, style)),
  ]
}

/** What the operator wants to know. */
function headline({ verdict, window }: PreflightReport): string {
  if (!window) return `${VERDICTS[verdict]}: not known to be recoverable to any moment`
  const { from, to, toLsn, behindSeconds } = window
  const behind =
    behindSeconds === undefined
      ? 'how far behind now is not known'
      : `${behindSeconds === 0 ? '' : 'at most '}${wholeSeconds(behindSeconds)} seconds behind now`
  return `${VERDICTS[verdict]}: recoverable from ${time(from) ?? 'the end of the base backup'} to ${to ? `${time(to)} UTC` : toLsn}, ${behind}`
}

function wholeSeconds(seconds: number): string {
  return String(Math.ceil(seconds))
}

/** In UTC, to the second, cut off: not beyond what is there. */
function time(moment: string | undefined): string | undefined {
  return moment?.replace('T', ' ').replace(/(?:\.\d+)?Z$/, '')
}

function facts({ where, server, archive, looks, tookSeconds }: PreflightReport): string {
  return [
    where,
    ...(server ? [`PostgreSQL ${server.version}`, `system ${server.systemIdentifier}`] : []),
    ...(server?.insertLsn ? [`at ${server.insertLsn} of timeline ${server.timeline}`] : []),
    ...(archive === undefined ? [] : [`archive ${archive}`]),
    `${looks} ${looks === 1 ? 'look' : 'looks'}`,
    secondsText(tookSeconds),
  ].join(', ')
}

type Style = (name: Parameters<typeof styleText>[0], text: string) => string

function reason(
  { name, verdict, seen, wanted, source, pendingRestart, advice }: PreflightCheck,
  columns: number,
  style: Style,
): string[] {
  const head = wrap(harmless(`${MARKS[verdict]} ${name} (${verdict}): ${seen || "''"}`), columns, 4)
  const body = [
    advice,
    `Wanted: ${wanted}.`,
    ...(source === undefined ? [] : [`Source: ${source}.`]),
    ...(pendingRestart ? ['A restart is pending.'] : []),
  ]
  return [
    ...head.map((line, index) => (index === 0 ? style(STYLES[verdict], line) : line)),
    ...body.filter(Boolean).flatMap(line => wrap(harmless(`    ${line}`), columns)),
  ]
}

function brief({ name, seen }: PreflightCheck, width: number, columns: number, style: Style): string[] {
  const margin = width + 4
  const lines = wrap(harmless(seen || "''"), columns - margin)
  return lines.map((line, index) =>
    index === 0 ? `${style('green', MARKS.ok)} ${name.padEnd(width)}  ${line}` : ' '.repeat(margin) + line,
  )
}
