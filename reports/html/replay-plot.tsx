import { scaleLinear } from 'd3-scale'
import { curveStepAfter, line } from 'd3-shape'
import type { Timeline } from '../../helpers/evidence/evidence.ts'
import { counted, secondsText } from '../layout.ts'
import { lsnNumber, lsnText } from './numbers.ts'
import { Scroll, Table } from './parts.tsx'
import { EventMarks, heightOf, PLOTS, placeEvents, round, TimeAxis } from './time-axis.tsx'

const [PLOT_HEIGHT, LEFT, RIGHT] = [190, 104, 20]

/** More rows than this are read in evidence.json. */
const ROWS_MAX = 200

/** A replay that fills less than this part of the time in which anything happened is looked at from nearer by. */
const NEAR = 0.2

interface Point {
  seconds: number
  lsn: number
}

interface Replay {
  server: string
  target?: number
  points: Point[]
}

/** The replay LSN of each server over time, with the target and what happened meanwhile. */
export function ReplayPlot({ timeline, id, drill }: { timeline: Timeline; id: string; drill: string }) {
  const replays = timeline.replays.map(readReplay).filter(({ points }) => points.length > 0)
  const points = replays.flatMap(replay => replay.points)
  if (points.length === 0) return null
  return (
    <figure>
      <figcaption>Replay LSN over time, in seconds since the drill began</figcaption>
      <Scroll label={`Plot of the replay LSN (${id})`}>
        {PLOTS.map(({ width, className, suffix }) => (
          <Drawing
            key={className}
            replays={replays}
            events={timeline.events}
            width={width}
            className={className}
            id={`${id}${suffix}`}
            drill={drill}
          />
        ))}
      </Scroll>
      {replays.length > 1 && (
        <ul class="lines-legend">
          {replays.map(({ server }, index) => (
            <li key={server}>
              <svg class={`dash-${index % 4}`} viewBox="0 0 40 8" aria-hidden="true">
                <path d="M0 4H40" class="curve" />
              </svg>
              {server}
            </li>
          ))}
        </ul>
      )}
      <details>
        <summary>The plot's data: {counted(points.length, 'look')}</summary>
        <Table caption={`Replay LSN, look by look (${id})`} columns={['server', 'seconds', 'replay LSN', 'target']}>
          {replays
            .flatMap(({ server, target, points: seen }) => seen.map(point => ({ server, target, ...point })))
            .slice(0, ROWS_MAX)
            .map(({ server, target, seconds, lsn }) => (
              <tr key={`${server} ${seconds}`}>
                <th scope="row">{server}</th>
                <td class="number">{seconds.toFixed(3)}</td>
                <td class="number mono">{lsnText(lsn)}</td>
                <td class="number mono">{target === undefined ? 'none' : lsnText(target)}</td>
              </tr>
            ))}
        </Table>
        {points.length > ROWS_MAX && <p class="soft">{points.length - ROWS_MAX} more stand in evidence.json.</p>}
      </details>
    </figure>
  )
}

function Drawing({
  replays,
  events,
  width,
  className,
  id,
  drill,
}: {
  replays: readonly Replay[]
  events: Timeline['events']
  width: number
  className: string
  id: string
  drill: string
}) {
  const points = replays.flatMap(replay => replay.points)
  const [from, to] = shownTime(points, events)
  const lsns = [...points.map(({ lsn }) => lsn), ...replays.flatMap(({ target }) => target ?? [])]
  const [low, high] = [Math.min(...lsns), Math.max(...lsns)]
  const x = scaleLinear([from, to], [LEFT, width - RIGHT])
  const marks = placeEvents(events, x)
  const top = heightOf(marks)
  const bottom = top + PLOT_HEIGHT
  const spare = Math.max(high - low, 1) * 0.08
  const y = scaleLinear([low - spare, high + spare], [bottom, top])
  const path = line<Point>(
    point => round(x(point.seconds)),
    point => round(y(point.lsn)),
  ).curve(curveStepAfter)
  return (
    <svg
      class={className}
      viewBox={`0 0 ${width} ${bottom + 26}`}
      role="img"
      aria-labelledby={`${id}-title ${id}-desc`}
    >
      <title id={`${id}-title`}>Replay LSN over time in {drill}</title>
      <desc id={`${id}-desc`}>{replays.map(describe).join(' ')}</desc>
      <TimeAxis x={x} y={bottom} top={top} />
      {lsnTicks(low, high).map(lsn => (
        <g key={lsn}>
          <path d={`M${LEFT} ${round(y(lsn))}H${width - RIGHT}`} class="grid" />
          <text x={LEFT - 8} y={round(y(lsn)) + 4} text-anchor="end" class="mono">
            {lsnText(lsn)}
          </text>
        </g>
      ))}
      <EventMarks marks={marks} bottom={bottom} />
      {targetsOf(replays, y).map(({ target, hasRoom }) => (
        <g key={target} class="target">
          <path d={`M${LEFT} ${round(y(target))}H${width - RIGHT}`} />
          {hasRoom && (
            <text x={LEFT + 6} y={round(y(target)) - 6}>
              target {lsnText(target)}
            </text>
          )}
        </g>
      ))}
      {replays.map((replay, index) => (
        <g key={replay.server} class={`replay dash-${index % 4}`}>
          <path d={path(replay.points) ?? ''} class="curve" />
          {replay.points.length <= 40 &&
            replay.points.map(point => (
              <circle key={point.seconds} cx={round(x(point.seconds))} cy={round(y(point.lsn))} r="3" />
            ))}
        </g>
      ))}
    </svg>
  )
}

function readReplay({ server, targetLsn, points }: Timeline['replays'][number]): Replay {
  const target = targetLsn === undefined ? undefined : lsnNumber(targetLsn)
  return {
    server,
    ...(target !== undefined && { target }),
    points: points
      .flatMap(({ seconds, lsn: text }) => {
        const lsn = lsnNumber(text)
        return lsn === undefined ? [] : [{ seconds, lsn }]
      })
      .toSorted((a, b) => a.seconds - b.seconds),
  }
}

/** Targets, each once, from the lowest; one that lies close above another has no room for its name, which is in the data. */
function targetsOf(replays: readonly Replay[], y: (lsn: number) => number): { target: number; hasRoom: boolean }[] {
  const targets = [...new Set(replays.flatMap(({ target }) => target ?? []))].toSorted((a, b) => a - b)
  return targets.map((target, index) => {
    const below = targets[index - 1]
    return { target, hasRoom: below === undefined || y(below) - y(target) > 16 }
  })
}

/** From the first to the last thing that happened; the replay and as much before and after it, where that would leave it a step. */
function shownTime(points: readonly Point[], events: Timeline['events']): [from: number, to: number] {
  const replay = extent(points)
  const all = extent([...points, ...events])
  const span = replay[1] - replay[0]
  const [from, to] =
    span >= NEAR * (all[1] - all[0])
      ? all
      : [Math.max(replay[0] - 2 * span, all[0]), Math.min(replay[1] + 2 * span, all[1])]
  const spare = (to - from || 1) * 0.02
  return [from - spare, to + spare]
}

function extent(moments: readonly { seconds: number }[]): [first: number, last: number] {
  const all = moments.map(({ seconds }) => seconds)
  return [Math.min(...all), Math.max(...all)]
}

/** LSNs that are round in hexadecimal, three or four between the ends. */
function lsnTicks(low: number, high: number): number[] {
  const step = 2 ** Math.ceil(Math.log2(Math.max(high - low, 4) / 4))
  const first = Math.ceil(low / step)
  const count = Math.floor(high / step) - first + 1
  return Array.from({ length: Math.max(count, 0) }, (_, index) => (first + index) * step)
}

function describe({ server, target, points }: Replay): string {
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return ''
  const towards = target === undefined ? '' : `, the target is ${lsnText(target)}`
  return `The server ${server} replayed from ${lsnText(first.lsn)} at ${secondsText(first.seconds)} to ${lsnText(last.lsn)} at ${secondsText(last.seconds)}${towards}.`
}
