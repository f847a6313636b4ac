import type { Report } from '../report.ts'
import type { Anchors } from './anchors.ts'
import { durationText } from './numbers.ts'
import { DrillChip, Moment, Section, Table } from './parts.tsx'
import { Sparkline } from './sparkline.tsx'

/** How long each recovery took in earlier runs that can be compared, with the numbers behind the lines. */
export function Trends({ report: { trends }, anchors }: { report: Report; anchors: Anchors }) {
  return (
    <Section id="trends" title="RTO over runs">
      <p class="lead">
        {trends.length === 0
          ? 'No RTO was measured, or no history is kept.'
          : 'Runs of the same kind, runtime and major version, in which the drill passed. The dashed line is the median of up to ten runs before this one.'}
      </p>
      <div class="trends">
        {trends.map((trend, index) => (
          <article key={trend.drill} aria-labelledby={`trend-${index}-name`}>
            <h3 id={`trend-${index}-name`}>
              <DrillChip id={trend.drill} anchors={anchors} />
            </h3>
            <Sparkline trend={trend} id={`trend-${index}`} />
            {trend.warning !== undefined && <p class="warning">{trend.warning}</p>}
            <details>
              <summary>Run by run</summary>
              <Table caption={`RTO of ${trend.drill}, run by run`} columns={['run', 'began', 'RTO']}>
                {trend.rto.map(one => (
                  <tr key={one.runId}>
                    <th scope="row">{one.runId}</th>
                    <td>
                      <Moment at={one.startedAt} />
                    </td>
                    <td>{durationText(one.seconds)}</td>
                  </tr>
                ))}
              </Table>
            </details>
          </article>
        ))}
      </div>
    </Section>
  )
}
