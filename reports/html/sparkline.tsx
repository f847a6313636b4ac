import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { Trend } from '../history/trends.ts'
import { durationText } from './numbers.ts'
import { Moment, Table } from './parts.tsx'

const [WIDTH, HEIGHT, MARGIN] = [320, 56, 6]

/** A drill's RTO in earlier runs and in this, with the numbers behind it. */
export function Sparkline({ trend, id }: { trend: Trend; id: string }) {
  const { drill, rto, medianSeconds } = trend
  const seconds = rto.map(one => one.seconds)
  const [first, last] = [seconds[0], seconds.at(-1)]
  if (first === undefined || last === undefined || seconds.length < 2)
    return <p class="soft">No earlier run can be compared with this one.</p>
  const x = scaleLinear([0, seconds.length - 1], [MARGIN, WIDTH - MARGIN])
  const y = scaleLinear([0, Math.max(...seconds, medianSeconds ?? 0)], [HEIGHT - MARGIN, MARGIN])
  const path = line<number>((_, index) => x(index), y)(seconds) ?? ''
  const told = `${durationText(Math.min(...seconds))} to ${durationText(Math.max(...seconds))} in ${seconds.length} runs, ${durationText(last)} now${medianSeconds === undefined ? '' : `; ${durationText(medianSeconds)} is the median of those before`}`
  return (
    <div class="trend">
      <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={`${id}-title ${id}-desc`}>
        <title id={`${id}-title`}>RTO of {drill} over runs</title>
        <desc id={`${id}-desc`}>{told}</desc>
        <path d={`M${MARGIN} ${HEIGHT - MARGIN}H${WIDTH - MARGIN}`} class="axis" />
        {medianSeconds !== undefined && (
          <path d={`M${MARGIN} ${y(medianSeconds)}H${WIDTH - MARGIN}`} class="reference" />
        )}
        <path d={path} class="curve" />
        <circle cx={x(seconds.length - 1)} cy={y(last)} r="4" class="now" />
      </svg>
      <details>
        <summary>{told}</summary>
        <Table caption={`RTO of ${drill}, run by run (${id})`} columns={['run', 'began', 'RTO']}>
          {rto.map(one => (
            <tr key={one.runId}>
              <th scope="row">{one.runId}</th>
              <td>
                <Moment at={one.startedAt} />
              </td>
              <td class="number">{durationText(one.seconds)}</td>
            </tr>
          ))}
        </Table>
      </details>
    </div>
  )
}
