// Goal:   bars stand at the bottom while they go on, spoil nothing that is printed meanwhile, and leave nothing behind.
// Method: what is written goes to a terminal emulator, and its screen is read.
import { EventEmitter } from 'node:events'
import headless from '@xterm/headless'
import { afterEach, describe, expect, it } from 'vitest'
import { sampleProgress } from '../sample.ts'
import { TerminalText } from '../terminal.ts'
import { LiveBars, type TerminalStream } from './live-bars.ts'

const terminals: headless.Terminal[] = []
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.dispose()
})

/** What a process has of a terminal: two streams, and news of its size. */
class Screen {
  readonly #terminal: headless.Terminal
  readonly #events = new EventEmitter()
  readonly stdout: TerminalStream
  readonly stderr: TerminalStream

  constructor(
    private columns = 80,
    rows = 24,
  ) {
    this.#terminal = new headless.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true })
    terminals.push(this.#terminal)
    this.stdout = this.#stream(rows)
    this.stderr = this.#stream(rows)
  }

  #stream(rows: number): TerminalStream {
    const write = (text: string | Uint8Array) => {
      this.#terminal.write(text)
      return true
    }
    const on = (event: string, listener: () => void) => this.#events.on(event, listener)
    const off = (event: string, listener: () => void) => this.#events.off(event, listener)
    const stream = { write, on, off, rows }
    Object.defineProperty(stream, 'columns', { get: () => this.columns })
    return stream as unknown as TerminalStream
  }

  /** What the terminal shows by itself. */
  echo(text: string): void {
    this.#terminal.write(text)
  }

  /** The terminal moves its text first; only then is the process told. */
  async resize(columns: number): Promise<void> {
    await this.#drawn()
    this.#terminal.resize(columns, this.#terminal.rows)
    this.columns = columns
    this.#events.emit('resize')
  }

  /** All that has been printed and is still there, what has scrolled away too. */
  async text(): Promise<string[]> {
    await this.#drawn()
    const buffer = this.#terminal.buffer.active
    const lines = Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '')
    return lines.slice(0, lines.findLastIndex(line => line !== '') + 1)
  }

  async cursorColumn(): Promise<number> {
    await this.#drawn()
    return this.#terminal.buffer.active.cursorX
  }

  get listeners(): number {
    return this.#events.listenerCount('resize')
  }

  #drawn(): Promise<void> {
    return new Promise(resolve => this.#terminal.write('', resolve))
  }
}

const text = new TerminalText(80, true)

function barsOn(screen: Screen): LiveBars {
  return new LiveBars([screen.stdout, screen.stderr], (id, progress, columns) => text.bar(id, progress, columns))
}

const backup = sampleProgress()
const replay = sampleProgress({ what: 'replay', unit: 'WAL bytes', done: 16e6, of: 32e6, at: '0/3000060 of 0/4000000' })

describe('bars', () => {
  it('stand below all that is printed, one for each long step', async () => {
    const screen = new Screen(100)
    const bars = barsOn(screen)
    screen.stdout.write('PostgreSQL 18.4\n')
    bars.show('one', 'P1', backup)
    screen.stdout.write('P1   ✓ Serve traffic\n')
    bars.show('two', 'S1', replay)
    screen.stderr.write('a warning of Node\n')
    expect((await screen.text()).map(line => line.slice(0, 40))).toEqual([
      'PostgreSQL 18.4',
      'P1   ✓ Serve traffic',
      'a warning of Node',
      'P1   base backup  ████░░░░░░░░░░░░  25 %',
      'S1   replay  ████████░░░░░░░░  50 %, 0/3',
    ])
  })

  it('are drawn over as they grow, and go when their step or drill is over', async () => {
    const screen = new Screen()
    const bars = barsOn(screen)
    bars.show('one', 'P1', backup)
    bars.show('one', 'P1', { ...backup, done: 200e6 })
    bars.show('two', 'S1', { ...backup, done: 300e6 })
    expect((await screen.text()).map(line => /\d+ %/.exec(line)?.[0])).toEqual(['50 %', '75 %'])
    bars.show('one', 'P1', { ...backup, done: 400e6, hasEnded: true })
    expect((await screen.text()).map(line => /\d+ %/.exec(line)?.[0])).toEqual(['75 %'])
    bars.forget('two')
    expect(await screen.text()).toEqual([])
  })

  it('leave nothing, and the streams as they were', async () => {
    const screen = new Screen()
    const { write } = screen.stdout
    const bars = barsOn(screen)
    screen.stdout.write('before\n')
    bars.show('one', 'P1', backup)
    bars.close()
    bars.close()
    screen.stdout.write('summary\n')
    expect(await screen.text()).toEqual(['before', 'summary'])
    expect(screen.stdout.write).toBe(write)
    expect(screen.listeners).toBe(0)
  })

  it('wait for the end of a line that somebody has begun', async () => {
    const screen = new Screen()
    const bars = barsOn(screen)
    bars.show('one', 'P1', backup)
    screen.stdout.write('half a ')
    bars.show('one', 'P1', { ...backup, done: 200e6 })
    screen.stdout.write(Buffer.from('line\n'))
    expect((await screen.text()).map(line => line.slice(0, 16))).toEqual(['half a line', 'P1   base backup'])
  })

  it('outlive what the terminal itself shows of Ctrl-C', async () => {
    const screen = new Screen()
    const bars = barsOn(screen)
    bars.show('one', 'P1', backup)
    screen.echo('^C')
    screen.stderr.write('\nSIGINT: cleaning up; once more to end at once\n')
    bars.close()
    expect(await screen.text()).toEqual(['', 'SIGINT: cleaning up; once more to end at once'])
    expect(await screen.cursorColumn()).toBe(0)
  })

  it.each([120, 60, 40, 25])('leave nothing when the terminal becomes %d columns wide', async columns => {
    const screen = new Screen()
    const bars = barsOn(screen)
    screen.stdout.write('before\n')
    bars.show('one', 'P1', backup)
    bars.show('two', 'P2', replay)
    await screen.resize(columns)
    const [first, ...shown] = await screen.text()
    expect(first).toBe('before')
    expect(shown.map(line => line.slice(0, 2))).toEqual(['P1', 'P2'])
    await screen.resize(80)
    screen.stdout.write('after\n')
    bars.close()
    expect(await screen.text()).toEqual(['before', 'after'])
  })

  it('break no long line that is there to be copied', async () => {
    const screen = new Screen(40)
    const bars = barsOn(screen)
    bars.show('one', 'P1', backup)
    const long = `kept: ${'x'.repeat(100)}`
    screen.stdout.write(`${long}\n`)
    bars.close()
    expect((await screen.text()).join('')).toBe(long)
  })

  it('scroll nothing away that is drawn over: no more of them than the terminal is high', async () => {
    const screen = new Screen(80, 4)
    const bars = barsOn(screen)
    screen.stdout.write('one\ntwo\nthree\n')
    for (let number = 1; number <= 6; number++) bars.show('one', `P${number}`, { ...backup, number })
    bars.close()
    expect(await screen.text()).toEqual(['one', 'two', 'three'])
  })
})
