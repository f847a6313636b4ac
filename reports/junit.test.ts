import fc from 'fast-check'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { describe, expect, it } from 'vitest'
import type { Evidence } from '../helpers/evidence/evidence.ts'
import { buildEvidence, type DrillRecord } from './build-evidence.ts'
import { escaped, junitOf } from './junit.ts'
import { sampleFacts, sampleJournal, sampleRecord, sampleStep } from './sample.ts'

interface ParsedCase {
  '@name': string
  failure?: { '@message': string; '#text'?: string }[]
  error?: { '@message': string; '#text'?: string }[]
  skipped?: { '@message': string }[]
  'system-out'?: string[]
}
interface ParsedSuite {
  '@name': string
  '@tests': string
  '@failures': string
  '@errors': string
  '@skipped': string
  properties: { property: { '@name': string; '@value': string }[] }[]
  testcase: ParsedCase[]
}

function parse(xml: string): ParsedSuite[] {
  expect(XMLValidator.validate(xml)).toBe(true)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    trimValues: false,
    parseTagValue: false,
    htmlEntities: true,
    processEntities: { enabled: true, maxTotalExpansions: Number.MAX_SAFE_INTEGER },
    isArray: (_name, path, _leaf, isAttribute) => !isAttribute && path !== 'testsuites',
  })
  const { testsuites } = parser.parse(xml) as { testsuites: { testsuite?: ParsedSuite[] } }
  return testsuites.testsuite ?? []
}

const failed: DrillRecord = sampleRecord({
  state: 'failed',
  errors: [{ name: 'Failure', kind: 'rows-missing', message: '3 rows < 5 & "more"\u0000', evidence: { missing: 3 } }],
  journal: sampleJournal({
    id: 'N1',
    runbook: '4',
    steps: [sampleStep({ steps: [sampleStep({ title: 'Stream it' })] })],
  }),
})

function evidenceOf(records: DrillRecord[], problems: Evidence['run']['problems'] = []): Evidence {
  return buildEvidence(sampleFacts, records, { state: 'finished', problems })
}

describe('junit.xml', () => {
  it("has a suite for each of the runbook's sections, and a case for each drill", () => {
    const suites = parse(junitOf(evidenceOf([sampleRecord(), failed])))
    expect(suites.map(suite => [suite['@name'], suite.testcase.map(one => one['@name'])])).toEqual([
      ['runbook 3', ['P1 recovery to an LSN']],
      ['runbook 4', ['N1 recovery to an LSN']],
      ['run', ['the run as a whole']],
    ])
    const properties = suites[0]?.properties[0]?.property.map(one => [one['@name'], one['@value']])
    expect(properties).toContainEqual(['runtime', 'embedded'])
    expect(properties).toContainEqual(['postgresql', '18.4'])
  })

  it('says what failed, with the facts, and shows the steps', () => {
    const [suite] = parse(junitOf(evidenceOf([failed])))
    const [failure] = suite?.testcase[0]?.failure ?? []
    expect(failure?.['@message']).toBe('3 rows < 5 & "more"\u{FFFD}')
    expect(failure?.['#text']).toContain('missing: 3')
    expect(suite?.testcase[0]?.['system-out']).toEqual([
      'passed: Take a base backup (0.21 s)\n  passed: Stream it (0.21 s)',
    ])
  })

  it('has an error for what is unknown, and the reason of what was not exercised', () => {
    const records = [sampleRecord({ state: 'pending' }), sampleRecord({ state: 'skipped', note: 'no Docker' })]
    const [suite] = parse(junitOf(evidenceOf(records)))
    expect(suite?.testcase.map(one => one.error?.[0]?.['@message'] ?? one.skipped?.[0]?.['@message'])).toEqual([
      'it did not end',
      'no Docker',
    ])
    expect(suite).toMatchObject({ '@tests': '2', '@failures': '0', '@errors': '1', '@skipped': '1' })
  })

  it('is red for what went wrong outside any drill, and whenever nothing was executed', () => {
    const leftover = parse(junitOf(evidenceOf([sampleRecord()], [{ kind: 'leftover', message: 'a process' }])))
    expect(leftover.at(-1)?.testcase[0]?.error?.[0]?.['@message']).toBe('a process')
    const nothing = parse(junitOf(evidenceOf([])))
    expect(nothing.at(-1)?.testcase[0]?.error?.[0]?.['@message']).toBe('no drill was executed')
  })

  it('reads back as what was written, whatever the texts, and is red unless the run passed', () => {
    const text = fc.string({ unit: 'binary' })
    const record = fc
      .record({ title: text, message: text, state: fc.constantFrom('passed' as const, 'failed' as const) })
      .map(({ title, message, state }) =>
        sampleRecord({ title, state, errors: state === 'failed' ? [{ name: 'Failure', kind: 'x', message }] : [] }),
      )
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), records => {
        const evidence = evidenceOf(records)
        const suites = parse(junitOf(evidence))
        const [suite] = suites
        expect(suite?.testcase.map(one => one['@name'])).toEqual(
          evidence.drills.map(drill => readable(`P1 ${drill.title}`)),
        )
        const red = suites.flatMap(one => one.testcase).filter(one => one.failure || one.error)
        expect(red.length > 0).toBe(evidence.run.verdict !== 'passed')
      }),
      { numRuns: 50 },
    )
  })

  it('escapes every character so that it reads back, or as U+FFFD where XML has no place for it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const xml = `<a b="${escaped(text)}"/>`
        expect(XMLValidator.validate(xml)).toBe(true)
        const parser = new XMLParser({
          ignoreAttributes: false,
          attributeNamePrefix: '',
          trimValues: false,
          htmlEntities: true,
        })
        expect((parser.parse(xml) as { a: { b: string } | '' }).a || { b: '' }).toEqual({ b: readable(text) })
      }),
    )
  })
})

/** What XML 1.0 can hold of a text: its section 2.2, put the other way round. */
function readable(text: string): string {
  return [...text]
    .map(character => {
      const code = character.codePointAt(0) ?? 0
      const isForbidden =
        (code < 0x20 && !'\t\n\r'.includes(character)) ||
        (code >= 0xd800 && code <= 0xdfff) ||
        code === 0xfffe ||
        code === 0xffff
      return isForbidden ? '\u{FFFD}' : character
    })
    .join('')
}
