import type { ScaleLinear } from 'd3-scale'
import type { Timeline } from '../../helpers/evidence/evidence.ts'
import { secondsText } from '../layout.ts'

/** Seconds of a drill to places of a plot. */
export type TimeScale = ScaleLinear<number, number>

/** Marks of events closer than this to each other stand in rows. */
const MARK_WIDTH = 20

/** How high a row of marks is. */
export const MARK_ROW = 20

export interface PlacedEvent {
  number: number
  what: string
  seconds: number
  x: number
  row: number
}

/** Events in the order of their times, numbered, where none covers another; those outside the scale are not shown. */
export function placeEvents(events: Timeline['events'], x: TimeScale): PlacedEvent[] {
  const [first = 0, last = 0] = x.domain()
  const rowEnds: number[] = []
  return numbered(events)
    .filter(({ seconds }) => seconds >= first && seconds <= last)
    .map(event => {
      const at = x(event.seconds)
      const free = rowEnds.findIndex(end => end + MARK_WIDTH <= at)
      const row = free < 0 ? rowEnds.length : free
      rowEnds[row] = at
      return { ...event, x: round(at), row }
    })
}

/** Events in the order of their times. */
export function numbered<E extends { seconds: number }>(events: readonly E[]): (E & { number: number })[] {
  return events.toSorted((a, b) => a.seconds - b.seconds).map((event, index) => ({ ...event, number: index + 1 }))
}

/** Numbered marks at the top of a plot, and a line down from each. */
export function EventMarks({ placed, bottom }: { placed: readonly PlacedEvent[]; bottom: number }) {
  return (
    <g class="events">
      {placed.map(({ number, x, row }) => (
        <g key={number}>
          <path d={`M${x} ${row * MARK_ROW + 18}V${bottom}`} />
          <circle cx={x} cy={row * MARK_ROW + 10} r="8.5" />
          <text x={x} y={row * MARK_ROW + 14} text-anchor="middle">
            {number}
          </text>
        </g>
      ))}
    </g>
  )
}

/** What the numbers of the marks mean. */
export function EventLegend({ events }: { events: Timeline['events'] }) {
  return (
    <ol class="legend">
      {numbered(events).map(({ number, what, seconds }) => (
        <li key={number}>
          {what} <b>{secondsText(seconds)}</b>
        </li>
      ))}
    </ol>
  )
}

export function TimeAxis({ x, y, top }: { x: TimeScale; y: number; top: number }) {
  const [from = 0, to = 0] = x.range()
  const format = x.tickFormat(8)
  return (
    <g class="time-axis">
      <path d={`M${from} ${y}H${to}`} class="axis" />
      {x.ticks(8).map(seconds => (
        <g key={seconds}>
          <path d={`M${round(x(seconds))} ${top}V${y + 4}`} class="grid" />
          <text x={round(x(seconds))} y={y + 18} text-anchor="middle">
            {format(seconds)} s
          </text>
        </g>
      ))}
    </g>
  )
}

export function round(value: number): number {
  return Number(value.toFixed(1))
}
