import { expect, it } from 'vitest'
import { csv } from './csv.ts'

it('has its head first, cells in the order of the columns, and nothing where there is nothing to say', () => {
  expect(csv(['a', 'b'], [{ b: 1.5, a: 'x' }, { a: undefined }])).toBe('a,b\nx,1.5\n,\n')
})

it('keeps commas, quotes and line breaks within their cell', () => {
  expect(csv(['a', 'b'], [{ a: 'one, "two"\nthree', b: 'four' }])).toBe('a,b\n"one, ""two""\nthree",four\n')
})

it.each(['=HYPERLINK("http://x")', '+1', '-1', '@SUM(A1)', '\tx'])('gives a spreadsheet no formula: %j', cell => {
  const [, row] = csv(['a'], [{ a: cell }]).split('\n')
  expect(row).toMatch(/^"?'/)
})

it('leaves numbers as they are, to six digits behind the point', () => {
  expect(csv(['a'], [{ a: -1 }, { a: 107_374_182_400 }, { a: 0 }, { a: 1.5000000004 }])).toBe(
    'a\n-1\n107374182400\n0\n1.5\n',
  )
})
