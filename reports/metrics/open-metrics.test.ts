import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openMetricsText } from './open-metrics.ts'

const family = { name: 'age_seconds', unit: 'seconds', help: 'How old it is.' } as const

/** The labels of the only sample in `text`, as the text format defines them. */
function labelsIn(text: string): Record<string, string> {
  const line = text.split('\n').find(one => one.startsWith('age_seconds{')) ?? ''
  const pairs = [...line.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"[,}]/gu)]
  const letters: Record<string, string> = { n: '\n' }
  return Object.fromEntries(
    pairs.map(([, name = '', value = '']) => [
      name,
      value.replaceAll(/\\(.)/gu, (_, one: string) => letters[one] ?? one),
    ]),
  )
}

describe('openMetricsText', () => {
  it('tells type, unit and help of a family before its samples, and ends', () => {
    const samples = [
      { labels: { drill: 'P1', runtime: 'embedded' }, value: 1.5 },
      { labels: {}, value: 0 },
    ]
    expect(
      openMetricsText([
        { ...family, samples },
        { name: 'verdict', help: 'It.', samples },
      ]),
    ).toBe(
      `# TYPE age_seconds gauge
# UNIT age_seconds seconds
# HELP age_seconds How old it is.
age_seconds{drill="P1",runtime="embedded"} 1.5
age_seconds 0
# TYPE verdict gauge
# HELP verdict It.
verdict{drill="P1",runtime="embedded"} 1.5
verdict 0
# EOF
`,
    )
  })

  it('says nothing of a family without a sample', () => {
    expect(openMetricsText([{ ...family, samples: [] }])).toBe('# EOF\n')
  })

  it('keeps every label on its line, whatever is in it', () => {
    const labels = fc.record({
      drill: fc.string({ unit: 'grapheme' }),
      runtime: fc.constantFrom('"', '\\', '\n', '\\n', '",x="'),
    })
    fc.assert(
      fc.property(labels, given => {
        const text = openMetricsText([{ ...family, samples: [{ labels: given, value: 1 }] }])
        expect(text.split('\n')).toHaveLength(6)
        expect(labelsIn(text)).toEqual(given)
      }),
    )
  })
})
