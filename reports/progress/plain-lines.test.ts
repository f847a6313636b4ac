import { expect, it } from 'vitest'
import { sampleProgress } from '../sample.ts'
import { PlainLines } from './plain-lines.ts'

function lines() {
  const printed: string[] = []
  const plain = new PlainLines((id, { what, seconds, hasEnded }) =>
    printed.push(`${id} ${what} ${hasEnded ? 'ended' : 'goes on'} after ${seconds} s`),
  )
  return { plain, printed }
}

it('a line each ten seconds and one at the end, however often there is news', () => {
  const { plain, printed } = lines()
  for (let seconds = 0; seconds < 25; seconds += 0.25) plain.show('test', 'P1', sampleProgress({ seconds }))
  plain.show('test', 'P1', sampleProgress({ seconds: 25, hasEnded: true }))
  expect(printed).toEqual([
    'P1 base backup goes on after 10 s',
    'P1 base backup goes on after 20 s',
    'P1 base backup ended after 25 s',
  ])
})

it('none for what took less than two seconds, and one for what took two', () => {
  const { plain, printed } = lines()
  for (const [number, seconds] of [1.9, 2].entries()) {
    plain.show('test', 'P1', sampleProgress({ number, seconds: 1 }))
    plain.show('test', 'P1', sampleProgress({ number, seconds, hasEnded: true }))
  }
  expect(printed).toEqual(['P1 base backup ended after 2 s'])
})

it('steps side by side, of one drill or of two, have lines of their own', () => {
  const { plain, printed } = lines()
  plain.show('one', 'P1', sampleProgress({ number: 1, seconds: 10 }))
  plain.show('one', 'P1', sampleProgress({ number: 2, seconds: 10, what: 'replay' }))
  plain.show('other', 'P2', sampleProgress({ number: 1, seconds: 10 }))
  plain.forget('one')
  plain.show('other', 'P2', sampleProgress({ number: 1, seconds: 15 }))
  expect(printed).toEqual([
    'P1 base backup goes on after 10 s',
    'P1 replay goes on after 10 s',
    'P2 base backup goes on after 10 s',
  ])
})
