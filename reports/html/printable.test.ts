import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableText } from './printable.ts'
import { sampleReport } from './sample-report.ts'

describe('printableText', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['a\u0000b\u0007c\u007fd\u0085e', 'abcde'],
    ['one\r\ntwo\tthree', 'one\ntwo  three'],
    ['invoice\u202etxt.exe', 'invoicetxt.exe'],
    ['half \ud83d of it', 'half \ufffd of it'],
    ['Grüße, \u{1f600} 漢字', 'Grüße, \u{1f600} 漢字'],
  ])('makes %o to %o', (text, shown) => {
    expect(printableText(text)).toBe(shown)
  })

  it('leaves nothing that steers, and once is enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const shown = printableText(text)
        expect(shown).not.toMatch(/(?!\n)[\p{Cc}\u202a-\u202e]/u)
        expect(shown).not.toMatch(/\p{Cs}/u)
        expect(printableText(shown)).toBe(shown)
      }),
    )
  })
})

describe('printable', () => {
  it('reaches every text and every name of a field', () => {
    const report = sampleReport()
    const [step] = report.evidence.drills[2]?.steps ?? []
    Object.assign(step?.observations ?? {}, { 'na\u0007me': ['a\u0007', { deep: 'b\u0007' }] })
    report.evidence.suite = { ...report.evidence.suite, name: 'su\u0007ite' }
    const text = JSON.stringify(printable(report))
    expect(text).not.toContain('\\u0007')
    expect(text).toContain('"name":["a",{"deep":"b"}]')
    expect(text).toContain('"suite"')
  })
})
