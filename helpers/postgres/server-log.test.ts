import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { Failure } from '../failure.ts'
import { ServerLog } from './server-log.ts'

vi.mock(import('../deadlines.ts'), async original => {
  const { deadlinesMs } = await original()
  return { deadlinesMs: { ...deadlinesMs, signal: 30 as typeof deadlinesMs.signal } }
})

const texts = (log: ServerLog, mark?: number) => log.since(mark).map(line => line.text)

function logOf(...lines: string[]): ServerLog {
  const log = new ServerLog()
  for (const line of lines) log.append(`${line}\n`)
  return log
}

describe('the lines of a server log', () => {
  test('are the same however the output was cut into pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), pieces => {
        const log = new ServerLog()
        for (const piece of pieces) log.append(piece)
        log.ended()
        const whole = pieces.join('')
        expect(texts(log)).toEqual(whole === '' ? [] : whole.replace(/\n$/, '').split('\n'))
      }),
    )
  })

  test('are counted once they are whole, and the last one when the server has ended', () => {
    const log = new ServerLog()
    log.append('one\ntw')
    expect([log.length, texts(log)]).toEqual([1, ['one']])
    log.append('o')
    log.ended()
    log.ended()
    expect(texts(log)).toEqual(['one', 'two'])
  })

  test('are stamped in the order they came', () => {
    const log = logOf('one', 'two')
    const [first, second] = log.since()
    expect(first?.atMs).toBeLessThanOrEqual(second?.atMs ?? 0)
  })

  test('can be read on from a mark, and their tail shown', () => {
    const log = logOf('a', 'b', 'c', 'd')
    expect(texts(log, 2)).toEqual(['c', 'd'])
    expect(log.tail(0, 3)).toBe('b\nc\nd')
    expect(log.tail(3)).toBe('d')
    expect(log.tail(4)).toBe('')
  })

  test('are found from a mark on, the first that matches', () => {
    const log = logOf('LSN 1', 'LSN 2', 'LSN 3')
    expect(log.find(/LSN (\d)/)?.[1]).toBe('1')
    expect(log.find(/LSN (\d)/, 1)?.[1]).toBe('2')
    expect(log.find(/LSN (\d)/, 3)).toBeUndefined()
  })

  test('are found again by a pattern that has found something before', () => {
    const log = logOf('redo done', 'redo done')
    const pattern = /redo done/g
    expect([log.find(pattern), log.find(pattern), log.find(pattern, 1)].map(match => match?.index)).toEqual([0, 0, 0])
  })
})

describe('waiting for a line', () => {
  test('ends at once when it is there already', async () => {
    expect((await logOf('x', 'ready 1').waitFor('it', /ready (\d)/, 'serverReady'))[1]).toBe('1')
  })

  test('ends when the line comes, whole, for everyone who waits', async () => {
    const log = logOf('ready in an earlier start')
    const waits = [1, 2, 3].map(() => log.waitFor('it', /ready.*$/, 'serverReady', 1))
    log.append('rea')
    log.append('dy now\n')
    expect((await Promise.all(waits)).map(match => match[0])).toEqual(['ready now', 'ready now', 'ready now'])
  })

  test('fails as soon as no line can come any more, and shows the log since the mark', async () => {
    const log = logOf('earlier start')
    let over = false
    const wait = log.waitFor('the server to be ready', /ready/, 'serverReady', 1, () => over)
    log.append('FATAL:  no')
    over = true
    log.ended()
    const failure = await wait.catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(Failure)
    expect(failure).toMatchObject({
      kind: 'log-line-missing',
      message: 'waited for the server to be ready: the server ended first. The server log since then:\nFATAL:  no',
      evidence: { what: 'the server to be ready', log: 'FATAL:  no' },
    })
  })

  test('finds a line that came with the end', async () => {
    const log = new ServerLog()
    let over = false
    const wait = log.waitFor('it', /shut down/, 'serverReady', 0, () => over)
    log.append('shut down')
    over = true
    log.ended()
    await expect(wait).resolves.toBeDefined()
  })

  test('fails at its deadline, although lines keep coming', async () => {
    const log = logOf('something else')
    const chatter = setInterval(() => log.append('chatter\n'), 1)
    await expect(log.waitFor('it', /ready/, 'signal')).rejects.toThrow(
      /^waited for it: not within 0\.03 s\. .*\nsomething else\n/,
    )
    clearInterval(chatter)
  })
})
