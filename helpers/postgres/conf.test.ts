import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderSettings } from './conf.ts'

const SIMPLE_ESCAPES: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/**
 * A small reader of what PostgreSQL accepts as `name = 'value'`.
 * @see PostgreSQL source, `src/backend/utils/misc/guc-file.l` (`STRING`, `DeescapeQuotedString`)
 */
function read(file: string): [string, string][] {
  return file
    .split('\n')
    .slice(0, -1)
    .map(line => {
      const match = /^([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?) = '((?:[^'\\]|\\.|'')*)'$/su.exec(line)
      if (!match) throw new Error(`PostgreSQL would refuse: ${line}`)
      const value = (match[2] ?? '').replaceAll(
        /''|\\([0-7]{1,3})|\\(.)/gsu,
        (escaped, octal?: string, letter?: string) => {
          if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
          return letter === undefined ? escaped.slice(1) : (SIMPLE_ESCAPES[letter] ?? letter)
        },
      )
      return [match[1] ?? '', value]
    })
}

const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/).filter(name => name !== '__proto__')
const name = fc.oneof(
  word,
  fc.tuple(word, word).map(words => words.join('.')),
)
/** Plenty of what has a meaning between quotes. */
const value = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("'", '\\', '"', 'n', '0', '7', '%', '#', ' ', '\t', 'ü', '😀'),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
  })
  .filter(text => !/[\r\n\0]/.test(text))

describe('rendered settings', () => {
  test('are read back by PostgreSQL as they were given', () => {
    fc.assert(
      fc.property(fc.dictionary(name, value), settings => {
        expect(read(renderSettings(settings))).toEqual(Object.entries(settings))
      }),
      { numRuns: 500 },
    )
  })

  test('are a line each, with quotes and backslashes doubled', () => {
    expect(
      renderSettings({ restore_command: `cp '/a b/%f' "%p"`, recovery_target_name: 'a\\n', recovery_target_lsn: '' }),
    ).toBe(`restore_command = 'cp ''/a b/%f'' "%p"'\nrecovery_target_name = 'a\\\\n'\nrecovery_target_lsn = ''\n`)
  })

  test('hold numbers, and on and off for booleans', () => {
    expect(renderSettings({ archive_mode: true, hot_standby: false, max_connections: 20, 'app.ratio': 0.5 })).toBe(
      "archive_mode = 'on'\nhot_standby = 'off'\nmax_connections = '20'\napp.ratio = '0.5'\n",
    )
  })

  test('are nothing for nothing', () => {
    expect(renderSettings({})).toBe('')
  })

  test.each(['a\nb', 'a\r', '\0', "x'\nrestore_command = 'rm"])('cannot smuggle in another line: %j', text => {
    expect(() => renderSettings({ recovery_target_name: text })).toThrow(RangeError)
  })

  // The last three name a setting for SET, and are a syntax error in a file.
  test.each(['', ' a', 'a b', 'a=b', '1a', 'a.', '.a', "a'", '#a', 'a\n', 'a-b', 'a.b.c', 'a$b', 'a.b$'])(
    "'%s' is not the name of a setting",
    text => {
      expect(() => renderSettings({ [text]: 'x' })).toThrow(RangeError)
    },
  )
})
