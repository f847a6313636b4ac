import { Lsn } from './lsn.ts'

/** Where a timeline was left for its child. */
export interface TimelineSwitch {
  /** The one that was left. */
  timeline: number
  /** Its child begins here: the byte at this LSN is the child's. */
  switchpoint: Lsn
  /** For people: `before 2026-01-01 12:00:00+00`, `no recovery target specified`. */
  reason: string
}

/**
 * How a timeline came about: what its history file says.
 * @see PostgreSQL source, `src/backend/access/transam/timeline.c`
 */
export class TimelineHistory {
  private constructor(
    readonly timeline: number,
    /** Oldest first. */
    readonly switches: readonly TimelineSwitch[],
  ) {}

  /**
   * The content of `timeline`'s history file, read as PostgreSQL reads it, and stricter in one thing: an empty one is an
   * error, since PostgreSQL never writes one and would take the timeline for one without a parent.
   * @throws {RangeError} that names the timeline and quotes the line.
   */
  static parse(content: string, timeline: number): TimelineHistory {
    const of = `the history of timeline ${timeline}`
    const lines = content.split('\n').filter(line => !/^\s*(#|$)/.test(line))
    const switches = lines.map(line => parseLine(line, of))
    if (switches.length === 0) throw new RangeError(`${of} names no parent`)
    const timelines = [...switches.map(one => one.timeline), timeline]
    const unordered = timelines.findIndex((one, index) => one <= (timelines[index - 1] ?? 0))
    if (unordered >= 0) {
      throw new RangeError(
        `${of} goes from timeline ${timelines[unordered - 1] ?? 0} to ${timelines[unordered]}: a child's number is always higher`,
      )
    }
    return new TimelineHistory(timeline, switches)
  }

  /** Of a timeline that has no history file: the first one. */
  static withoutParent(timeline: number): TimelineHistory {
    return new TimelineHistory(timeline, [])
  }

  /**
   * The timeline that holds the byte at `lsn` for whoever follows this history to its end. Switchpoints need not ascend: a
   * recovery along timeline 2 that stops before timeline 2 begins writes that it left timeline 2 there. So the newest
   * timeline that had begun holds it, as in `tliOfPointInHistory`.
   */
  timelineOf(lsn: Lsn): number {
    const left = this.switches.findLastIndex(one => one.switchpoint.isAtOrBefore(lsn))
    return this.switches[left + 1]?.timeline ?? this.timeline
  }
}

/** @see PostgreSQL source, `TLHistoryFileName` in `src/include/access/xlog_internal.h` */
export function historyFile(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`
}

function parseLine(line: string, of: string): TimelineSwitch {
  const match = /^\s*(\d+)\s+([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})(?:\s+(.*?))?\s*$/.exec(line)
  const timeline = Number(match?.[1])
  if (!match?.[2] || timeline < 1 || timeline > 0xffff_ffff) {
    throw new RangeError(`${of} has a line that is not 'timeline, switchpoint, reason': '${line}'`)
  }
  return { timeline, switchpoint: Lsn.parse(match[2]), reason: match[3] ?? '' }
}
