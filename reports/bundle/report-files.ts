import { readFileSync } from 'node:fs'
import path from 'node:path'
import { controlsCsv } from '../controls/controls-csv.ts'
import { indexHtml } from '../html/index-html.tsx'
import { junitOf } from '../junit.ts'
import { matrixOf } from '../matrix.ts'
import { runMetrics } from '../metrics/run-metrics.ts'
import type { Report } from '../report.ts'
import { environmentOf } from '../tables/environment.ts'
import { measurementsCsv } from '../tables/measurements.ts'

const REPORTS = path.resolve(import.meta.dirname, '..')

/** The files of a bundle that follow from its evidence, by name, with their texts: the same for the same report, always. */
export function reportFiles(report: Report): ReadonlyMap<string, string> {
  const { evidence, exceptions } = report
  return new Map([
    ['index.html', indexHtml(report)],
    ['measurements.csv', measurementsCsv(evidence)],
    ['controls.csv', controlsCsv(report)],
    ['exceptions.json', json(exceptions)],
    ['environment.json', json(environmentOf(evidence))],
    ['junit.xml', junitOf(evidence)],
    ['metrics.prom', runMetrics(evidence)],
    ...(evidence.drills.some(({ faults }) => faults) ? [['matrix.md', matrixOf(evidence.drills)] as const] : []),
    ...['evidence', 'exceptions', 'environment'].map(
      name => [`${name}.schema.json`, readFileSync(path.join(REPORTS, `${name}.schema.json`), 'utf8')] as const,
    ),
  ])
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
