import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import type { Trend } from '../history/trends.ts'
import { durationText } from './numbers.ts'
import { round } from './time-axis.tsx'

const [WIDTH, HEIGHT, MARGIN] = [320, 56, 6]

/** A drill's RTO in earlier runs and in this, from nought up, and what it comes to in a sentence. */
export function Sparkline({ trend, id }: { trend: Trend; id: string }) {
  const seconds = trend.rto.map(one => one.seconds)
  const last = seconds.at(-1)
  if (last === undefined || seconds.length < 2) return <p class="soft">No earlier run can be compared with this one.</p>
  const x = scaleLinear([0, seconds.length - 1], [MARGIN, WIDTH - MARGIN])
  const y = scaleLinear([0, Math.max(...seconds, trend.medianSeconds ?? 0) || 1], [HEIGHT - MARGIN, MARGIN])
  const path = line<number>(
    (_, index) => round(x(index)),
    value => round(y(value)),
  )(seconds)
  return (
    <div class="trend">
      <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={`${id}-title ${id}-desc`}>
        <title id={`${id}-title`}>RTO of {trend.drill} over runs</title>
        <desc id={`${id}-desc`}>{trendText(trend)}</desc>
        <path d={`M${MARGIN} ${HEIGHT - MARGIN}H${WIDTH - MARGIN}`} class="axis" />
        {trend.medianSeconds !== undefined && (
          <path d={`M${MARGIN} ${round(y(trend.medianSeconds))}H${WIDTH - MARGIN}`} class="reference" />
        )}
        <path d={path ?? ''} class="curve" />
        <circle cx={WIDTH - MARGIN} cy={round(y(last))} r="4" class="now" />
      </svg>
      <p>{trendText(trend)}</p>
    </div>
  )
}

function trendText({ rto, medianSeconds }: Trend): string {
  const seconds = rto.map(one => one.seconds)
  const range = `${durationText(Math.min(...seconds))} to ${durationText(Math.max(...seconds))} in ${seconds.length} runs`
  return medianSeconds === undefined ? range : `${range}; the median before this one ${durationText(medianSeconds)}`
}
