import { z } from 'zod'
import { evidenceSchema } from '../helpers/evidence/evidence.ts'

/** The JSON Schema (draft 2020-12) of `evidence.json`, as it stands in `reports/evidence.schema.json`. */
export function evidenceJsonSchema(): string {
  return `${JSON.stringify({ title: 'Evidence of a run of drills', ...z.toJSONSchema(evidenceSchema) }, null, 2)}\n`
}
