import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Drill } from '../../helpers/evidence/evidence.ts'
import type { Report } from '../report.ts'
import { indexHtml } from './index-html.tsx'
import { elementsOf, type PageElement } from './parsed-page.ts'
import { printableText } from './printable.ts'
import { failedReport, interruptedReport, sampleReport } from './sample-report.ts'

const pages = { passed: sampleReport(), failed: failedReport(), interrupted: interruptedReport() }

/** The elements of a page that are told apart by an attribute. */
function byAttribute(elements: readonly PageElement[], name: string): string[] {
  return elements.flatMap(({ attributes }) => attributes[name] ?? [])
}

function textOf(elements: readonly PageElement[], is: (element: PageElement) => boolean): string {
  return elements.find(is)?.text ?? ''
}

const hasId = (id: string) => (element: PageElement) => element.attributes.id === id
const hasClass = (name: string) => (element: PageElement) => (element.attributes.class ?? '').split(' ').includes(name)

describe('what the page tells', () => {
  const failed = elementsOf(indexHtml(pages.failed))
  const passed = elementsOf(indexHtml(pages.passed))

  it('counts each verdict', () => {
    expect(textOf(failed, hasClass('counts'))).toBe('2passed1failed1unknown1not exercised')
    expect(textOf(passed, hasClass('counts'))).toBe('2passed0failed0unknown1not exercised')
  })

  it('says beside the counts how many files were not begun', () => {
    expect(textOf(elementsOf(indexHtml(pages.interrupted)), hasClass('tally'))).toContain(
      '2 files of drills were not begun, and not counted above',
    )
    expect(textOf(passed, hasClass('tally'))).not.toContain('not begun')
  })

  it('says beside the verdict, and to the auditor, of what part a run was', () => {
    const core = elementsOf(indexHtml(sampleReport({ kind: 'core' })))
    expect(textOf(core, hasClass('headline'))).toMatch(/^What was selected is proven3 of \d\d drills: the core/)
    expect(textOf(core, hasId('audit'))).toMatch(/What was selected is proven \(3 of \d\d drills: the core\)/)
    expect(passed.filter(hasClass('scope'))).toEqual([])
  })

  it('says why each drill that did not pass did not', () => {
    expect(failed.filter(hasClass('not-passed'))).toHaveLength(1)
    const told = textOf(failed, hasClass('not-passed'))
    for (const reason of [
      '12 promised rows are missing',
      'the run was cut off',
      'cannot do what it needs: fullArchive',
    ])
      expect(told).toContain(reason)
    expect(told).not.toContain('N1')
  })

  it('tells the worst time and the median against the objective, at a size', () => {
    const [rto = '', rpo = ''] = failed.filter(hasClass('time')).map(({ text }) => text)
    expect(rto).toContain('6 min 52 s worst, of P3, failed')
    expect(rto).toContain('3 min 27 s median of 2 drills')
    expect(rto).toContain('objective of 5 min missed')
    expect(rto).toContain('At this size: 37.2 MB of base backup')
    expect(rpo).toContain('objective of 1 min met at this size')
    expect(textOf(passed, hasClass('time'))).toContain('0.98 s to 1.21 s in 6 runs; the median before this one 1.05 s')
  })

  it('says whether it is signed, and after which run it came', () => {
    expect(textOf(passed, hasClass('run'))).toContain(`With the key ${'ef'.repeat(32)}`)
    expect(textOf(failed, hasClass('run'))).toContain('Unsigned')
    expect(textOf(failed, hasClass('run'))).toContain('ab'.repeat(32))
    const first = elementsOf(indexHtml(sampleReport({ previous: null })))
    expect(textOf(first, hasClass('run'))).toContain('None: it is the first of its history')
  })

  it('shows a control without a drill that passed as missing', () => {
    expect(textOf(failed, hasId('controls'))).toContain('A.8.14gap')
    expect(textOf(failed, hasId('controls'))).not.toMatch(/compl(y|ies)/)
  })

  it('tells steps of the runbook that are proven, failed, or no part of the run in words and shapes of their own', () => {
    const [, , recovery] = pages.passed.evidence.drills as [Drill, Drill, Drill]
    const row = (drills: Drill[], step: string) => {
      const html = indexHtml(sampleReport({}, drills))
      const [, cells = ''] = new RegExp(`<tr[^>]*><th scope="row"[^>]*>${step}</th>(.*?)</tr>`).exec(html) ?? []
      const text = cells
        .replaceAll(/<[^>]+>/g, ' ')
        .replaceAll(/\s+/g, ' ')
        .trim()
      return { text, shape: /#mark-([a-z-]+)/.exec(cells)?.[1] }
    }
    const failing: Drill = { ...recovery, verdict: 'failed' }
    const proven = row([recovery], '3\\.4')
    expect(proven.shape).toBe('passed')
    expect(proven.text).toMatch(/ proven P1 , passed 2025-11-23 \d\d:\d\d/)
    const lost = row([failing], '3\\.4')
    expect(lost.shape).toBe('failed')
    expect(lost.text).toMatch(/ failed P1 , failed not in this run$/)
    const absent = row([recovery], '1\\.1')
    expect(absent.shape).toBe('absent')
    expect(absent.text).toMatch(/ not part of this run none in this run not in this run$/)
  })

  it("sets the runbook's code as code", () => {
    expect(indexHtml(pages.passed)).toContain('<code>archive_mode</code> = <code>on</code>')
  })

  it('names in each row of the exceptions whom it concerns', () => {
    const rows = passed.filter(({ tag, text }) => tag === 'tr' && /^(run leftover|N7f not exercised)/.test(text))
    expect(rows.map(({ text }) => text)).toEqual([
      'run leftovera server was left runningthe run as a whole',
      expect.stringMatching(/fullArchiveN7f$/),
    ])
  })

  it('tells a deviation once, with the drills that needed it', () => {
    expect(failed.filter(hasClass('deviation')).map(({ text }) => text)).toEqual([
      expect.stringMatching(/exactly one recovery target was set.*Needed by 2 drills/),
    ])
  })

  it('shows what each signal did at a fault, and what nobody looked at', () => {
    const rows = passed.filter(({ tag }) => tag === 'tr').map(({ text }) => text)
    expect(rows).toContain('segment lost between backup and target▲ fires after 1.12 squietquietN1, passed')
    expect(rows).toContain('archive fullnot exercisednot exercisednot exercisedN7f, not exercised')
    expect(rows).toContain('archive_command hangsnot looked atnot looked atnot looked atN9')
  })

  it('tells of each drill in a section of its own, its steps in their order', () => {
    expect(failed.filter(hasClass('drill')).map(({ attributes }) => attributes.id)).toEqual(
      pages.failed.evidence.drills.map(({ id }) => `drill-${id}`),
    )
    const titles = passed.filter(hasClass('title')).map(({ text }) => text)
    expect(titles.slice(-6)).toEqual([
      'Take a base backup (passed)',
      'Make the bad change: a DELETE without a WHERE (passed)',
      'Stop write traffic (passed)',
      'No backend is left (passed)',
      'Start it, and watch replay until it pauses at the target (passed)',
      'Promote, on the next timeline (passed)',
    ])
  })

  it('says of each drill in a sentence what it proved, or why it did not', () => {
    expect(failed.filter(hasClass('claim')).map(({ text }) => text)).toEqual([
      'Proven by 1 proof in 3 steps: a segment lost between backup and target is named before anybody waits for it.',
      'Not exercised: the runtime embedded cannot do what it needs: fullArchive',
      'Proven by 4 proofs in 5 steps: recovery to an LSN keeps every commit before the target and none after.',
      'Not proven, since it failed: 12 promised rows are missing',
      'Not proven, since it came to no result: the run was cut off',
    ])
  })

  it('draws replay towards its target, and signals against their window, in words as well', () => {
    const told = passed.filter(({ tag }) => tag === 'desc').map(({ text }) => text)
    expect(told).toContain(
      'The server restored replayed from 0/30008D8 at 2.13 s to 0/44364B8 at 2.21 s, the target is 0/44364B8.',
    )
    expect(told).toContain(
      'missing-archive-segment: quiet from 0.90 s, pending from 1.20 s, firing from 2.22 s, quiet from 3.60 s. recovery-stall: quiet from 0.90 s.',
    )
  })

  it('gives watches of a signal that stayed quiet one lane, and the data of each', () => {
    const [drill] = pages.passed.evidence.drills as [Drill]
    const quiet = (seconds: number) => ({
      signal: 'recovery-stall' as const,
      windowSeconds: 1,
      states: [{ seconds, state: 'quiet' as const }],
    })
    const timeline = { replays: [], signals: [quiet(2), quiet(1), quiet(3)], events: [] }
    const elements = elementsOf(indexHtml(sampleReport({}, [{ ...drill, timeline }])))
    const lanes = elements.filter(({ tag, text }) => tag === 'text' && text.startsWith('recovery-stall'))
    // One in each of the two drawings.
    expect(lanes.map(({ text }) => text)).toEqual(['recovery-stall (3 watches)', 'recovery-stall (3 watches)'])
    expect(elements.map(({ text }) => text)).toContain('recovery-stall: quiet from 1.00 s.')
    expect(elements.filter(({ tag, text }) => tag === 'tr' && text.startsWith('recovery-stall1.00 s'))).toHaveLength(3)
  })

  it('has room for a ticket, a name and a date', () => {
    const room = textOf(passed, hasClass('sign'))
    for (const line of ['Remediation ticket', "Reviewer's name", 'Date']) expect(room).toContain(line)
  })

  it('leads to the files of the bundle, and nowhere out of it', () => {
    const attached = (path: string) => {
      const [drill] = pages.passed.evidence.drills as [Drill]
      const html = indexHtml(sampleReport({}, [{ ...drill, attached: [{ path, what: 'a log' }] }]))
      return byAttribute(elementsOf(html), 'href').filter(href => !href.startsWith('#'))
    }
    expect(attached('drills/P1/a log?.txt')).toEqual(['./drills/P1/a%20log%3F.txt'])
    for (const path of ['../secret', 'drills/../../secret', '/etc/passwd', '//host/x', 'drills//x'])
      expect(attached(path)).toEqual([])
    expect(attached('javascript:alert(1)')).toEqual(['./javascript%3Aalert(1)'])
  })
})

describe.each(Object.entries(pages))('the page of a run that %s', (_, report) => {
  const html = indexHtml(report)
  const elements = elementsOf(html)

  it('loads nothing from anywhere and runs nothing', () => {
    const loading = ['src', 'srcset', 'href', 'xlink:href', 'data', 'action', 'poster', 'background', 'formaction']
    const addresses = loading.flatMap(name => byAttribute(elements, name))
    expect(addresses.filter(address => !/^(#|\.\/)/.test(address))).toEqual([])
    expect(elements.filter(({ tag }) => ['script', 'link', 'img', 'iframe', 'object', 'base'].includes(tag))).toEqual(
      [],
    )
    expect(textOf(elements, ({ tag }) => tag === 'style')).not.toMatch(/@import|url\((?!"#)|https?:/)
    expect(
      elements.filter(({ attributes }) => attributes['http-equiv']).map(({ attributes }) => attributes.content),
    ).toEqual([expect.stringMatching(/^default-src 'none'; style-src 'unsafe-inline'; img-src data:/)])
  })

  it('gives no id twice, and every link a place to lead to', () => {
    const ids = byAttribute(elements, 'id')
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
    const named = [
      ...byAttribute(elements, 'href')
        .filter(href => href.startsWith('#'))
        .map(href => href.slice(1)),
      ...byAttribute(elements, 'aria-labelledby').flatMap(names => names.split(' ')),
      ...[...html.matchAll(/url\(&quot;#([^&]+)&quot;\)|url\("#([^"]+)"\)/g)].map(
        ([, one, other]) => one ?? other ?? '',
      ),
    ]
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter(id => !ids.includes(id))).toEqual([])
  })

  it('gives every table a caption and heads, and every plot a title and a description', () => {
    const count = (tag: string) => elements.filter(element => element.tag === tag).length
    expect(count('table')).toBeGreaterThan(2)
    expect(count('caption')).toBe(count('table'))
    expect(elements.filter(({ tag, attributes }) => tag === 'th' && attributes.scope === undefined)).toEqual([])
    const plots = elements.filter(({ tag, attributes }) => tag === 'svg' && attributes['aria-hidden'] === undefined)
    expect(count('title') - 1).toBe(plots.length)
    expect(count('desc')).toBe(plots.length)
  })

  it('has headings without a gap', () => {
    const levels = elements.flatMap(({ tag }) => (/^h[1-6]$/.test(tag) ? Number(tag[1]) : []))
    expect(levels[0]).toBe(1)
    expect(levels.filter(level => level === 1)).toHaveLength(1)
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([])
  })
})

/** Names that the page knows and compares with; all other texts may be anything. */
const FIXED = new Set([
  ...['passed', 'failed', 'unknown', 'not exercised', 'met at this size', 'missed', 'no objective'],
  ...['quiet', 'pending', 'firing', 'fires', 'finished', 'interrupted', 'running', 'nightly', 'docker', 'embedded'],
  ...['missing-archive-segment', 'wal-growth-without-archiving', 'recovery-stall'],
])
const MOMENT = /^\d{4}-\d\d-\d\dT.*Z$/

/** `value` with every text in it that may be anything made into `text`; names of fields that a drill chose as well. */
function fill(value: unknown, text: string): unknown {
  if (typeof value === 'string') return FIXED.has(value) || MOMENT.test(value) ? value : text
  if (Array.isArray(value)) return value.map(one => fill(one, text))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) =>
      key === 'observations' ? [key, { [text]: text, list: [text, { [text]: text }] }] : [key, fill(one, text)],
    ),
  )
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '</title></svg></table></details><h1>Recovery is proven</h1>',
  '<!--',
  ']]><a href="https://example.org">',
  '&lt;b&gt;&amp;&#x41;',
  'javascript:alert(1)',
  '\u001b[31mred\u001b[0m \u0000\u0007 \u202etxt.exe',
  '../../\ud800',
  '"}body{display:none}@page{',
]

describe('whatever a drill, a server or a user wrote', () => {
  it('stays text: it makes no element, no attribute and no second verdict', () => {
    const shape = (elements: readonly PageElement[]) =>
      new Set(elements.flatMap(({ tag, attributes }) => [tag, ...Object.keys(attributes)]))
    const known = shape(elementsOf(indexHtml(pages.failed)))
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), text => {
        const elements = elementsOf(indexHtml(fill(pages.failed, text) as Report))
        expect([...shape(elements)].filter(name => !known.has(name))).toEqual([])
        expect(elements.filter(({ tag }) => tag === 'h1').map(one => one.text)).toEqual([
          'Recovery is not proven: the run failed',
        ])
        const ids = byAttribute(elements, 'id')
        expect(new Set(ids).size).toBe(ids.length)
        const shown = printableText(text).replaceAll(/\s+/g, ' ').trim()
        expect(textOf(elements, hasClass('drill'))).toContain(shown)
        expect(textOf(elements, ({ tag }) => tag === 'style')).not.toContain('display:none}@page')
      }),
      { numRuns: 25, examples: HOSTILE.map(text => [text]) },
    )
  })
})

describe('a full nightly run', () => {
  it('makes a page below 3 MB, in less than a second', () => {
    const [, , recovery] = pages.passed.evidence.drills as [Drill, Drill, Drill]
    const steps = Array.from({ length: 8 }, () => recovery.steps).flat()
    const drills = Array.from({ length: 45 }, (_, index) => ({ ...recovery, id: `P${index}`, steps }))
    // Of this process alone: other tests run beside it.
    const began = process.cpuUsage()
    const html = indexHtml(sampleReport({}, drills))
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1e6).toBeLessThan(1)
    expect(html.length).toBeGreaterThan(500_000)
    expect(Buffer.byteLength(html)).toBeLessThan(3_000_000)
  })
})
