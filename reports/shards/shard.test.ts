import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TestSpecification, Vitest } from 'vitest/node'
import { fallingTo, shardOf } from './shard.ts'

const at = (root: string) => ({ config: { root } }) as Vitest
const specifications = (root: string, names: readonly string[]) =>
  names.map(name => ({ moduleId: `${root}/drills/${name}.spec.ts` }) as TestSpecification)

describe('the shards of a selection', () => {
  it('share it out: each file falls to one of them, also where there are more of them than files', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        async (names, count) => {
          const all = specifications('/one', names)
          const parts: TestSpecification[][] = []
          for (let index = 1; index <= count; index++) parts.push(await fallingTo({ index, count }, at('/one'), all))
          expect(
            parts
              .flat()
              .map(({ moduleId }) => moduleId)
              .sort(),
          ).toEqual(all.map(({ moduleId }) => moduleId).sort())
          const sizes = parts.map(part => part.length)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('are the same on a machine where the checkout lies elsewhere', async () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const namesIn = async (root: string) => {
      const files = await fallingTo({ index: 1, count: 2 }, at(root), specifications(root, names))
      return files.map(({ moduleId }) => moduleId.slice(root.length))
    }
    expect(await namesIn('/a/longer/place')).toEqual(await namesIn('/one'))
  })
})

describe('--shard', () => {
  it('is read as a part of a whole', () => expect(shardOf('2/3')).toEqual({ index: 2, count: 3 }))

  it.each(['', '3', '0/3', '4/3', '1/0', '-1/3', '1/3/5', '1.5/3', ' 1/3'])("is refused as '%s'", text =>
    expect(() => shardOf(text)).toThrow(/is no part I\/N of a whole/),
  )
})
