import { expect, it } from 'vitest'
import { compareTables, describeDamage } from './damage.ts'

const state = (rows: number, checksum: string) => ({ rows, checksum })

it('names every table that differs between two snapshots, and how', () => {
  const before = {
    'public.a': state(10, 'x'),
    'public.b': state(10, 'x'),
    'public.c': state(10, 'x'),
    'public.d': state(10, 'x'),
    'public.e': state(10, 'x'),
  }
  const after = {
    'public.a': state(10, 'x'),
    'public.b': state(0, 'y'),
    'public.c': state(10, 'y'),
    'public.d': state(11, 'y'),
    'public.f': state(1, 'x'),
  }
  expect(compareTables(before, after).map(describeDamage)).toEqual([
    'public.b: rows lost, 10 → 0',
    'public.c: rows changed, 10 → 10',
    'public.d: rows added, 10 → 11',
    'public.e: gone, 10 → none',
    'public.f: new, none → 1',
  ])
  expect(compareTables(before, before)).toEqual([])
})
