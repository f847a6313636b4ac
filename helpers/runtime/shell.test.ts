import { execaSync } from 'execa'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { quoteForShell } from './shell.ts'

test('whatever stands in a word, a shell takes it as one word and as it is', () => {
  const word = fc.string({ unit: 'grapheme' }).filter(text => !text.includes('\0'))
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), words => {
      const { stdout } = execaSync('sh', ['-c', `printf '%s\\0' ${words.map(quoteForShell).join(' ')}`], {
        stripFinalNewline: false,
      })
      expect(stdout.split('\0').slice(0, -1)).toEqual(words)
    }),
    { numRuns: 20 },
  )
})
