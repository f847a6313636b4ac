import { stripVTControlCharacters } from 'node:util'
import ansiEscapes from 'ansi-escapes'
import type { Progress } from '../../helpers/evidence/progress.ts'
import type { ProgressDisplay } from './progress-display.ts'

/** Of a stream that goes to a terminal, what is needed here. */
export type TerminalStream = Pick<NodeJS.WriteStream, 'columns' | 'rows' | 'write' | 'on' | 'off'>

/** One line, shorter than `columns`. */
export type DrawBar = (id: string, progress: Progress, columns: number) => string

interface Bar {
  test: string
  id: string
  progress: Progress
}

/**
 * A bar for each long step, at the bottom of the terminal. Whatever anybody writes to its streams goes above them. The cursor is
 * shown, which vitest has hidden, so that a run that is killed leaves one: it stands at the beginning of the line below the bars.
 */
export class LiveBars implements ProgressDisplay {
  readonly #bars = new Map<string, Bar>()
  readonly #terminal: TerminalStream
  readonly #draw: DrawBar
  readonly #write: (text: string) => void
  readonly #undo: (() => void)[]
  #shown: string[] = []
  /** Somebody has begun a line and not ended it: a bar would stand in it. */
  #isInLine = false

  /** @param streams all that go to the terminal; bars are drawn on the first. */
  constructor(streams: readonly [TerminalStream, ...TerminalStream[]], draw: DrawBar) {
    const [terminal] = streams
    this.#terminal = terminal
    this.#draw = draw
    const write = terminal.write.bind(terminal)
    this.#write = text => void (text === '' || write(text))
    this.#write(ansiEscapes.cursorShow)
    const redraw = () => this.#redraw()
    terminal.on('resize', redraw)
    this.#undo = [...streams.map(stream => this.#giveWay(stream)), () => terminal.off('resize', redraw)]
  }

  show(test: string, id: string, progress: Progress): void {
    const key = `${test} ${progress.number}`
    if (progress.hasEnded) this.#bars.delete(key)
    else this.#bars.set(key, { test, id, progress })
    this.#redraw()
  }

  forget(test: string): void {
    for (const [key, bar] of this.#bars) if (bar.test === test) this.#bars.delete(key)
    this.#redraw()
  }

  close(): void {
    this.#bars.clear()
    this.#redraw()
    for (const undo of this.#undo.splice(0)) undo()
  }

  /** What is written to it from now on finds no bar where it goes. @returns what undoes that. */
  #giveWay(stream: TerminalStream): () => void {
    const write = stream.write
    stream.write = ((...args: Parameters<typeof write>) => {
      this.#write(this.#erased())
      const isTaken = write.apply(stream, args)
      const text = typeof args[0] === 'string' ? args[0] : Buffer.from(args[0]).toString('latin1')
      if (text !== '') this.#isInLine = !text.endsWith('\n')
      this.#redraw()
      return isTaken
    }) as typeof write
    return () => {
      stream.write = write
    }
  }

  #redraw(): void {
    const erased = this.#erased()
    if (!this.#isInLine) this.#shown = this.#lines()
    // In one piece, or it would flicker.
    this.#write(erased + this.#shown.map(line => `${line}\n`).join(''))
  }

  #lines(): string[] {
    const bars = [...this.#bars.values()].map(({ id, progress }) => this.#draw(id, progress, this.#columns))
    // Those that have scrolled away nobody could erase.
    return bars.slice(0, Math.max(0, (this.#terminal.rows || 24) - 1))
  }

  /** A terminal may say that it has none. */
  get #columns(): number {
    return this.#terminal.columns || 80
  }

  /** What takes the bars off the screen. A line has more rows by now where the terminal has become narrower since. */
  #erased(): string {
    const rows = this.#shown.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / this.#columns)),
      0,
    )
    this.#shown = []
    return rows === 0 ? '' : ansiEscapes.eraseLines(rows + 1)
  }
}
