/** One measure, and its value for each set of labels. */
export interface Family {
  /** Ends in the unit, when it has one. */
  name: string
  unit?: 'seconds' | 'bytes'
  /** A sentence without quotes and backslashes, which the two formats escape differently. */
  help: string
  samples: readonly Sample[]
}

export interface Sample {
  labels: Readonly<Record<string, string>>
  value: number
}

/**
 * Gauges as text that is both OpenMetrics 1.0 and the Prometheus text format 0.0.4: node_exporter's textfile collector reads
 * the latter alone, to which UNIT and EOF are comments, and refuses a file with times of its own. Families without a sample are
 * left out.
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function openMetricsText(families: readonly Family[]): string {
  const lines = families.filter(({ samples }) => samples.length > 0).flatMap(linesOf)
  return [...lines, '# EOF', ''].join('\n')
}

function linesOf({ name, unit, help, samples }: Family): string[] {
  return [
    `# TYPE ${name} gauge`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${help}`,
    ...samples.map(({ labels, value }) => `${name}${labelsText(labels)} ${value}`),
  ]
}

function labelsText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
