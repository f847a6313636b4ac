import type { Drill, Evidence, Problem, Step } from '../helpers/evidence/evidence.ts'

/**
 * The evidence as JUnit XML: a suite for each of the runbook's sections, a case for each drill. `unknown` is an error,
 * `not exercised` is skipped. What went wrong outside any drill is a case of its own, so that a file without a failure
 * or an error is a run that passed.
 */
export function junitOf(evidence: Evidence): string {
  const sections = [...new Set(evidence.drills.map(drill => drill.runbook))].sort()
  const suites = sections.map(runbook => {
    const drills = evidence.drills.filter(drill => drill.runbook === runbook)
    return suiteOf(`runbook ${runbook || '?'}`, drills.map(caseOf), evidence)
  })
  if (evidence.run.verdict !== 'passed') suites.push(suiteOf('run', [caseOfRun(evidence)], evidence))
  const cases = suites.flatMap(suite => suite.cases)
  const root = element(
    'testsuites',
    { name: evidence.suite.name, ...totals(cases) },
    suites.map(suite => suite.xml),
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`
}

interface Case {
  xml: string
  outcome: 'failure' | 'error' | 'skipped' | undefined
  seconds: number
}

function suiteOf(name: string, cases: Case[], evidence: Evidence): { xml: string; cases: Case[] } {
  const { run, runtime, suite } = evidence
  const properties = {
    run: run.id,
    runtime: runtime.name,
    postgresql: runtime.serverVersion,
    suite: suite.version,
    commit: suite.commit,
  }
  const property = Object.entries(properties).map(([key, value]) => element('property', { name: key, value }))
  const xml = element('testsuite', { name, ...totals(cases), timestamp: run.startedAt }, [
    element('properties', {}, property),
    ...cases.map(one => one.xml),
  ])
  return { xml, cases }
}

function totals(cases: readonly Case[]): Record<string, string> {
  const count = (outcome: Case['outcome']) => String(cases.filter(one => one.outcome === outcome).length)
  const time = cases.reduce((sum, one) => sum + one.seconds, 0).toFixed(3)
  return {
    tests: String(cases.length),
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time,
  }
}

function caseOf(drill: Drill): Case {
  const outcome = outcomes[drill.verdict]
  const seconds = drill.durationSeconds
  const steps = drill.steps.flatMap(step => stepLines(step, ''))
  const xml = element(
    'testcase',
    { name: `${drill.id} ${drill.title}`, classname: drill.file, time: seconds.toFixed(3) },
    [
      ...(outcome ? [outcomeElement(outcome, drill.problems, drill.reason ?? drill.verdict)] : []),
      ...(steps.length > 0 ? [textElement('system-out', {}, steps.join('\n'))] : []),
    ],
  )
  return { xml, outcome, seconds }
}

function caseOfRun({ run }: Evidence): Case {
  const outcome = outcomes[run.verdict] ?? 'error'
  const reason = run.problems[0]?.message ?? `the run's verdict is ${run.verdict}`
  const xml = element('testcase', { name: 'the run as a whole', classname: 'run', time: '0.000' }, [
    outcomeElement(outcome === 'skipped' ? 'error' : outcome, run.problems, reason),
  ])
  return { xml, outcome, seconds: 0 }
}

const outcomes = { passed: undefined, failed: 'failure', unknown: 'error', 'not exercised': 'skipped' } as const

function outcomeElement(
  outcome: 'failure' | 'error' | 'skipped',
  problems: readonly Problem[],
  reason: string,
): string {
  const [first] = problems
  if (outcome === 'skipped' || !first) return element(outcome, { message: reason })
  const told = problems.map(problem =>
    [`${problem.kind}: ${problem.message}`, ...evidenceLines(problem), problem.stack ?? ''].join('\n').trim(),
  )
  return textElement(outcome, { type: first.kind, message: first.message.split('\n')[0] ?? '' }, told.join('\n\n'))
}

function evidenceLines({ evidence = {} }: Problem): string[] {
  return Object.entries(evidence).map(
    ([key, value]) => `  ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
}

function stepLines(step: Step, indent: string): string[] {
  const line = `${indent}${step.verdict}: ${step.title} (${step.durationSeconds.toFixed(2)} s)`
  return [line, ...step.steps.flatMap(inner => stepLines(inner, `${indent}  `))]
}

function element(name: string, attributes: Record<string, string>, children: readonly string[] = []): string {
  const open = `<${name}${Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escaped(value)}"`)
    .join('')}`
  return children.length === 0 ? `${open}/>` : `${open}>\n${children.join('\n')}\n</${name}>`
}

function textElement(name: string, attributes: Record<string, string>, text: string): string {
  return element(name, attributes).replace(/\/>$/, () => `>${escaped(text).replaceAll('&#10;', '\n')}</${name}>`)
}

/** As text or as the value of an attribute; what XML 1.0 cannot hold even as a reference becomes U+FFFD (its section 2.2). */
export function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '\u{FFFD}')
    .replaceAll(/[&<>"'\t\n\r]/g, character => references[character] ?? character)
}

const references: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // A parser makes these spaces in an attribute's value, and a carriage return a line feed anywhere.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}
