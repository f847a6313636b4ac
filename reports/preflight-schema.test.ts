import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { preflightJsonSchema } from './preflight-schema.ts'

it('the committed JSON Schema of a preflight is that of the code; if not, run `npm run schema`', () => {
  expect(readFileSync(path.join(import.meta.dirname, 'preflight.schema.json'), 'utf8')).toBe(preflightJsonSchema())
})
