import { EventEmitter, once } from 'node:events'
import { type Deadline, deadlinesMs } from '../deadlines.ts'
import { Failure } from '../failure.ts'

export interface LogLine {
  /** When it reached us, as `performance.now()` and thus monotonic, in milliseconds. */
  atMs: number
  text: string
}

/** What every server under drill puts before a line: time with milliseconds, pid, kind of process. */
export const LOG_LINE_PREFIX = '%m [%p] %b '

/** A line of the server's own, or one that goes on with it: not what one of its commands has printed. */
export const SAID_BY_SERVER =
  /^\t|^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} .* (?:DEBUG\d|LOG|INFO|NOTICE|FATAL|PANIC|WARNING|DETAIL|HINT|CONTEXT|STATEMENT|ERROR): {2}/

/**
 * What a server has written to its standard error, line by line, over all its starts. Before consistency there is no SQL:
 * this is how recovery is watched then.
 */
export class ServerLog {
  readonly #lines: LogLine[] = []
  readonly #events = new EventEmitter().setMaxListeners(100)
  #rest = ''

  append(chunk: string): void {
    const parts = (this.#rest + chunk).split('\n')
    this.#rest = parts.pop() ?? ''
    const atMs = performance.now()
    for (const text of parts) this.#lines.push({ atMs, text })
    if (parts.length > 0) this.#events.emit('change')
  }

  /** Tells those who wait that no further line will come from the present start of the server. */
  ended(): void {
    if (this.#rest !== '') this.append('\n')
    this.#events.emit('change')
  }

  /** Number of lines so far: a mark to read on from. */
  get length(): number {
    return this.#lines.length
  }

  since(mark = 0): readonly LogLine[] {
    return this.#lines.slice(mark)
  }

  /** The last `count` lines since `mark`, for an error message. */
  tail(mark = 0, count = 30): string {
    return this.#lines
      .slice(Math.max(mark, this.#lines.length - count))
      .map(line => line.text)
      .join('\n')
  }

  find(pattern: RegExp, mark = 0): RegExpExecArray | undefined {
    for (let index = mark; index < this.#lines.length; index++) {
      // With the flag g, a pattern would go on in this line from where it matched in another.
      pattern.lastIndex = 0
      const match = pattern.exec(this.#lines[index]?.text ?? '')
      if (match) return match
    }
    return undefined
  }

  /**
   * @param isOver tells that no further line can come: the wait then fails at once instead of at its deadline.
   * @throws {Failure} `log-line-missing`, with the log since `mark`.
   */
  async waitFor(
    what: string,
    pattern: RegExp,
    deadline: Deadline,
    mark = 0,
    isOver: () => boolean = () => false,
  ): Promise<RegExpExecArray> {
    const timeout = AbortSignal.timeout(deadlinesMs[deadline])
    for (;;) {
      const match = this.find(pattern, mark)
      if (match) return match
      if (isOver() || timeout.aborted) {
        const why = timeout.aborted ? `not within ${deadlinesMs[deadline] / 1000} s` : 'the server ended first'
        throw new Failure(
          'log-line-missing',
          `waited for ${what}: ${why}. The server log since then:\n${this.tail(mark)}`,
          { what, log: this.tail(mark) },
        )
      }
      await once(this.#events, 'change', { signal: timeout }).catch(() => undefined)
    }
  }
}
