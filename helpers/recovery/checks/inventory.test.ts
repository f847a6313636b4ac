import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareInventories } from './inventory.ts'

const inventories = fc
  .array(fc.tuple(fc.constantFrom('role a', 'role b', 'role c', 'extension d'), fc.constantFrom('x', 'y')))
  .map(things => new Map(things))

describe('two inventories', () => {
  test('differ in words by what is missing, new or changed', () => {
    const before = new Map([
      ['role ada', 'login'],
      ['role grace', 'login'],
      ['role same', 'login'],
    ])
    const after = new Map([
      ['role ada', 'superuser'],
      ['role eve', 'login'],
      ['role same', 'login'],
    ])
    expect(compareInventories(before, after)).toEqual([
      'role ada was login, is superuser',
      'role eve is new',
      'role grace is missing',
    ])
  })

  test('tell of an extension before the many things that went with it', () => {
    const before = new Map([
      ['app: definition of function crypt(text,text)', 'a'],
      ['app: extension pgcrypto', '1.3'],
    ])
    expect(compareInventories(before, new Map())).toEqual([
      'app: extension pgcrypto is missing',
      'app: definition of function crypt(text,text) is missing',
    ])
  })

  test('differ by a sentence for each thing that is not the same in both', () => {
    fc.assert(
      fc.property(inventories, inventories, (before, after) => {
        const names = new Set([...before.keys(), ...after.keys()])
        const different = [...names].filter(name => before.get(name) !== after.get(name))
        expect(compareInventories(before, after)).toHaveLength(different.length)
      }),
    )
  })
})
