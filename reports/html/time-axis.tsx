import type { ScaleLinear } from 'd3-scale'
import type { Timeline } from '../../helpers/evidence/evidence.ts'
import { secondsText } from '../layout.ts'

/** Seconds of a drill to places of a plot. */
export type TimeScale = ScaleLinear<number, number>

/** Wide enough for a label of the time axis, and a gap. */
const TICK_WIDTH = 64

/** Every plot is drawn twice, and the style sheet shows the one that can be read: one of `width` 960, and one for a phone. */
export const PLOTS = [
  { width: 960, className: 'plot broad', suffix: '' },
  { width: 340, className: 'plot slim', suffix: '-slim' },
] as const

/** Marks of events closer than this to each other stand in rows. */
const MARK_WIDTH = 22

/** Where there is no room in so many rows, events share a mark. */
const ROWS_MAX = 4

/** How high a row of marks is. */
const MARK_ROW = 20

/** A mark of an event, or of several that follow each other. */
interface EventMark {
  first: number
  last: number
  x: number
  row: number
}

/** Marks of the events, numbered in the order of their times, where none covers another; what is outside the scale has none. */
export function placeEvents(events: Timeline['events'], x: TimeScale): EventMark[] {
  const [from = 0, to = 0] = x.domain()
  const marks: EventMark[] = []
  for (const { number, seconds } of numbered(events)) {
    if (seconds < from || seconds > to) continue
    const at = round(x(seconds))
    const ends = Array.from({ length: ROWS_MAX }, (_, row) => marks.findLast(mark => mark.row === row))
    const row = ends.findIndex(mark => !mark || mark.x + widthOf(mark) <= at)
    const previous = marks.at(-1)
    if (row < 0 && previous) previous.last = number
    else marks.push({ first: number, last: number, x: at, row: Math.max(row, 0) })
  }
  return marks
}

/** How high the rows of marks are together. */
export function heightOf(marks: readonly EventMark[]): number {
  return (Math.max(...marks.map(({ row }) => row), -1) + 1) * MARK_ROW + 8
}

function labelOf({ first, last }: EventMark): string {
  return first === last ? String(first) : `${first}–${last}`
}

function widthOf(mark: EventMark): number {
  return Math.max(MARK_WIDTH, labelOf(mark).length * 8 + 6)
}

/** Events in the order of their times. */
function numbered<E extends { seconds: number }>(events: readonly E[]): (E & { number: number })[] {
  return events.toSorted((a, b) => a.seconds - b.seconds).map((event, index) => ({ ...event, number: index + 1 }))
}

/** Numbered marks at the top of a plot, and a line down from each. */
export function EventMarks({ marks, bottom }: { marks: readonly EventMark[]; bottom: number }) {
  return (
    <g class="events">
      {marks.map(mark => {
        const { first, x, row } = mark
        const width = widthOf(mark) - 4
        return (
          <g key={first}>
            <path d={`M${x} ${row * MARK_ROW + 18}V${bottom}`} />
            <rect x={x - 9} y={row * MARK_ROW + 1} width={width} height="18" rx="9" />
            <text x={x - 9 + width / 2} y={row * MARK_ROW + 14} text-anchor="middle">
              {labelOf(mark)}
            </text>
          </g>
        )
      })}
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
  const count = Math.min(Math.floor((to - from) / TICK_WIDTH), 8)
  const format = x.tickFormat(count)
  return (
    <g class="time-axis">
      <path d={`M${from} ${y}H${to}`} class="axis" />
      {x.ticks(count).map(seconds => (
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
