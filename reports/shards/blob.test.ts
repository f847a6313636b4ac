import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { localBlob, portableBlob, vitestOf } from './blob.ts'

const root = '/home/one/suite'
const SECRET = 'canary "S3cr3t"'
/** As vitest writes it: texts once, and everything else by their place. */
const blob = JSON.stringify([
  ['2', '1'],
  { filepath: '3', meta: '4' },
  '4.1.12',
  `${root}/drills/a.spec.ts`,
  { said: '5', [SECRET]: 7 },
  `password ${SECRET} at ${root}/x`,
])

describe("a shard's blob", () => {
  it('names no secret, neither in a text nor as a key', () => {
    const portable = portableBlob(blob, { root, secrets: [SECRET] })
    expect(portable).not.toContain('S3cr3t')
    expect(JSON.parse(portable)[4]).toEqual({ said: '5', '[redacted]': 7 })
  })

  it('is of the checkout where it is merged', () => {
    const portable = portableBlob(blob, { root, secrets: [] })
    expect(JSON.parse(portable)[3]).toBe('{checkout}/drills/a.spec.ts')
    expect(JSON.parse(localBlob(portable, '/srv/other'))[3]).toBe('/srv/other/drills/a.spec.ts')
  })

  it('says which vitest wrote it', () => {
    expect(vitestOf(portableBlob(blob, { root, secrets: [] }))).toBe('4.1.12')
    for (const none of ['', '{}', '[]', '[["1"]]', '[["1"], {}]', blob.slice(0, -1)])
      expect(() => vitestOf(none)).toThrow()
  })

  it('is otherwise what it was', () => {
    const part = fc.oneof(
      fc.string(),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer())),
    )
    fc.assert(
      fc.property(fc.array(part), parts => {
        const text = JSON.stringify(parts)
        fc.pre(!text.includes('{checkout}/'))
        expect(JSON.parse(localBlob(portableBlob(text, { root, secrets: [] }), root))).toEqual(JSON.parse(text))
      }),
    )
  })
})
