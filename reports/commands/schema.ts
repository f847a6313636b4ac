// npm run schema: writes the JSON Schema of evidence.json beside the reports' code.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { evidenceJsonSchema } from '../evidence-schema.ts'

writeFileSync(path.resolve(import.meta.dirname, '../evidence.schema.json'), evidenceJsonSchema())
