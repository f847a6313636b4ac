import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { evidenceJsonSchema } from './evidence-schema.ts'

describe('the JSON Schema of the evidence', () => {
  it('is the committed one; if not, run `npm run schema`', () => {
    expect(readFileSync(path.join(import.meta.dirname, 'evidence.schema.json'), 'utf8')).toBe(evidenceJsonSchema())
  })

  it('says that a step holds steps', () => {
    const { $defs } = JSON.parse(evidenceJsonSchema()) as {
      $defs: Record<string, { properties?: { steps?: { items: { $ref: string } } } }>
    }
    const recursive = Object.entries($defs).filter(
      ([name, { properties }]) => properties?.steps?.items.$ref === `#/$defs/${name}`,
    )
    expect(recursive).toHaveLength(1)
  })
})
