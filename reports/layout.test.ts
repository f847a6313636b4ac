import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesText, harmless, secondsText, sizesText, wrap } from './layout.ts'

describe('wrap', () => {
  it('breaks at spaces, and hangs what follows under the first line', () => {
    expect(wrap('  take a base backup', 12, 2)).toEqual(['  take a', '    base', '    backup'])
  })

  it('leaves a line that fits as it is, inner spaces too', () => {
    expect(wrap('-     3,\n+', 20)).toEqual(['-     3,', '+'])
  })

  it.each([
    'DRILL_SEED=4294967295 DRILL_MOMENTS=12 npm run drill:nightly -- drills/recovery/random-moments',
    'npm run majors',
    "`docker exec -it -u postgres drill-1 psql -c 'SELECT 1'`",
  ])('breaks no command, which would not run when it is pasted: %s', command => {
    const text = `  moment 12 of the seed 4294967295: a time, 0.53 of the way (${command} draws the same again)`
    for (let columns = 12; columns < text.length; columns++) {
      const lines = wrap(text, columns, 2)
      expect(lines.filter(line => line.includes(command))).toHaveLength(1)
      expect(lines.map(line => line.trim()).join(' ')).toBe(text.trim())
    }
  })

  it('takes a backtick without another for a letter', () => {
    expect(wrap('a ` b c', 3)).toEqual(['a `', 'b c'])
  })

  it('never loses a word, and keeps to the columns where words let it', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,10}$/), { minLength: 1 })
    fc.assert(
      fc.property(words, fc.integer({ min: 12, max: 80 }), fc.integer({ min: 0, max: 2 }), (text, columns, indent) => {
        const lines = wrap(text.join(' '), columns, indent)
        expect(lines.flatMap(line => line.trim().split(' '))).toEqual(text)
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns)
      }),
    )
  })
})

describe('numbers', () => {
  it.each([
    [0, '0.00 s'],
    [0.214, '0.21 s'],
    [48.26, '48.3 s'],
    [1204.4, '1204 s'],
  ])('shows %d seconds as %s', (seconds, text) => {
    expect(secondsText(seconds)).toBe(text)
  })

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [24_300_000, '24.3 MB'],
    [307_000_000, '307 MB'],
    [5e15, '5000 TB'],
  ])('shows %d bytes as %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text)
  })
})

describe('harmless', () => {
  it('takes out what would steer the terminal, and leaves lines', () => {
    expect(harmless('\u001b[31mred\u001b[0m\r\u0007\tx\ny\u009b2J')).toBe('red  x\ny')
  })
})

describe('sizesText', () => {
  it('tells what was measured, and nothing else', () => {
    expect(sizesText({ baseBackupBytes: 37_211_404, rows: 1 })).toBe('37.2 MB of base backup, 1 row')
    expect(sizesText({})).toBe('')
  })
})
