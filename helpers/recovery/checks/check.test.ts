import { describe, expect, test } from 'vitest'
import { judgeFindings, notChecked } from './check.ts'

const terms = { name: 'indexes', wanted: 'none', severity: 'failure', advice: 'Do something.' } as const

describe('a check', () => {
  test('is ok where nothing is found, and says what it looked at', () => {
    expect(judgeFindings(terms, '12 indexes agree', [])).toMatchObject({
      verdict: 'ok',
      seen: '12 indexes agree',
      advice: '',
    })
  })

  test('shows the first findings and keeps them all', () => {
    const findings = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    expect(judgeFindings(terms, '12 indexes agree', findings)).toMatchObject({
      verdict: 'failure',
      seen: 'a; b; c; d; e; and 2 more',
      advice: 'Do something.',
      findings,
    })
  })

  test('that could not be made is never ok', () => {
    expect(notChecked(terms, 'amcheck is lacking')).toMatchObject({
      verdict: 'warning',
      seen: 'not checked: amcheck is lacking',
    })
  })
})
