import { scaleLinear } from 'd3-scale'
import type { Timeline } from '../../helpers/evidence/evidence.ts'
import { counted, secondsText } from '../layout.ts'
import { Scroll, Table } from './parts.tsx'
import { EventMarks, heightOf, PLOTS, placeEvents, round, TimeAxis, type TimeScale } from './time-axis.tsx'

const [LANE, RIGHT] = [34, 20]

/** Names of signals stand before their lanes, or above them where that leaves too little. */
const [NAME_WIDTH, NAME_HEIGHT] = [290, 16]

type State = Timeline['signals'][number]['states'][number]['state']

interface Stretch {
  state: State
  from: number
  to: number
}

/** The state of each signal over time, and how long its condition must last before it fires. */
export function SignalPlot({
  timeline: { signals, events },
  seconds,
  id,
  drill,
}: {
  timeline: Timeline
  /** How long the drill took: the last state lasts until then. */
  seconds: number
  id: string
  drill: string
}) {
  const moments = [
    ...events.map(event => event.seconds),
    ...signals.flatMap(({ states }) => states.map(one => one.seconds)),
  ]
  const end = Math.max(seconds, ...moments)
  const lanes = lanesOf(signals).map(one => ({ ...one, stretches: stretchesOf(one.states, end) }))
  return (
    <figure>
      <figcaption>
        State of each signal over time, in seconds since the drill began. A dashed mark shows where the window ends.
      </figcaption>
      <Scroll label={`Plot of the signals (${id})`}>
        {PLOTS.map(({ width, className, suffix }) => (
          <Drawing
            key={className}
            lanes={lanes}
            events={events}
            from={Math.min(0, ...moments)}
            to={end || 1}
            width={width}
            className={className}
            id={`${id}${suffix}`}
            drill={drill}
          />
        ))}
      </Scroll>
      <details>
        <summary>The plot's data: {counted(signals.flatMap(({ states }) => states).length, 'change')}</summary>
        <Table caption={`States of the signals (${id})`} columns={['signal', 'window', 'seconds', 'state']}>
          {signals.flatMap(({ signal, windowSeconds, states }, index) =>
            states.map(({ state, seconds: from }) => (
              <tr key={`${index} ${from}`}>
                <th scope="row">{signal}</th>
                <td class="number">{secondsText(windowSeconds)}</td>
                <td class="number">{from.toFixed(3)}</td>
                <td>{state}</td>
              </tr>
            )),
          )}
        </Table>
      </details>
    </figure>
  )
}

function Drawing({
  lanes,
  events,
  from,
  to,
  width,
  className,
  id,
  drill,
}: {
  lanes: readonly (Lane & { stretches: readonly Stretch[] })[]
  events: Timeline['events']
  from: number
  to: number
  width: number
  className: string
  id: string
  drill: string
}) {
  const isNameAbove = width < 2 * NAME_WIDTH
  const [left, above] = isNameAbove ? [RIGHT, NAME_HEIGHT] : [NAME_WIDTH, 0]
  const x = scaleLinear([from, to], [left, width - RIGHT])
  const marks = placeEvents(events, x)
  const top = heightOf(marks)
  const bottom = top + lanes.length * (LANE + above)
  return (
    <svg
      class={className}
      viewBox={`0 0 ${width} ${bottom + 26}`}
      role="img"
      aria-labelledby={`${id}-title ${id}-desc`}
    >
      <title id={`${id}-title`}>Signals over time in {drill}</title>
      <desc id={`${id}-desc`}>{lanes.map(lane => describe(lane.signal, lane.stretches)).join(' ')}</desc>
      <TimeAxis x={x} y={bottom} top={top} />
      <EventMarks marks={marks} bottom={bottom} />
      {lanes.map(({ signal, stretches, windowSeconds, quiet }, index) => (
        <g key={index} transform={`translate(0 ${top + index * (LANE + above) + above})`}>
          <text
            x={isNameAbove ? left : left - 10}
            y={isNameAbove ? -2 : LANE / 2 + 4}
            text-anchor={isNameAbove ? 'start' : 'end'}
            class="name"
          >
            {signal}
            {quiet > 1 && ` (${quiet} watches)`}
          </text>
          {stretches.map(stretch => (
            <Block key={stretch.from} stretch={stretch} x={x} windowSeconds={windowSeconds} />
          ))}
        </g>
      ))}
    </svg>
  )
}

interface Lane extends Watched {
  /** How many watches of it saw nothing else than quiet, and share the lane. */
  quiet: number
}

type Watched = Timeline['signals'][number]

/** A lane a watch; those of one signal that stayed quiet all the while share one, from when the first of them began. */
function lanesOf(signals: readonly Watched[]): Lane[] {
  const lanes: Lane[] = []
  for (const one of signals) {
    const isQuiet = one.states.every(({ state }) => state === 'quiet')
    const shared = isQuiet ? lanes.find(lane => lane.quiet > 0 && lane.signal === one.signal) : undefined
    if (shared) {
      shared.quiet++
      shared.states = [...shared.states, ...one.states].toSorted((a, b) => a.seconds - b.seconds).slice(0, 1)
    } else lanes.push({ ...one, quiet: isQuiet ? 1 : 0 })
  }
  return lanes.toSorted((a, b) => a.signal.localeCompare(b.signal, 'en') || b.quiet - a.quiet)
}

/** Quiet is a line, pending a hatched box, firing a full one: three shapes. */
function Block({
  stretch: { state, from, to },
  x,
  windowSeconds,
}: {
  stretch: Stretch
  x: TimeScale
  windowSeconds: number
}) {
  const [left, width] = [round(x(from)), round(Math.max(x(to) - x(from), 1))]
  if (state === 'quiet') return <path d={`M${left} ${LANE / 2}h${width}`} class="quiet" />
  const windowEnd = round(x(from + windowSeconds))
  return (
    <g class={state}>
      <rect x={left} y="6" width={width} height={LANE - 12} />
      {width > 46 && (
        <text x={left + width / 2} y={LANE / 2 + 4} text-anchor="middle">
          {state}
        </text>
      )}
      {state === 'pending' && windowEnd <= (x.range()[1] ?? 0) && (
        <path d={`M${windowEnd} 2V${LANE - 2}`} class="window" />
      )}
    </g>
  )
}

function stretchesOf(states: Timeline['signals'][number]['states'], end: number): Stretch[] {
  const sorted = states.toSorted((a, b) => a.seconds - b.seconds)
  return sorted.map(({ state, seconds }, index) => ({ state, from: seconds, to: sorted[index + 1]?.seconds ?? end }))
}

function describe(signal: string, stretches: readonly Stretch[]): string {
  return `${signal}: ${stretches.map(({ state, from }) => `${state} from ${secondsText(from)}`).join(', ') || 'not looked at'}.`
}
