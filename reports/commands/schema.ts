// npm run schema: writes the JSON Schemas of evidence.json and of a preflight beside the reports' code.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { evidenceJsonSchema } from '../evidence-schema.ts'
import { preflightJsonSchema } from '../preflight-schema.ts'

const write = (name: string, schema: string) => writeFileSync(path.resolve(import.meta.dirname, '..', name), schema)

write('evidence.schema.json', evidenceJsonSchema())
write('preflight.schema.json', preflightJsonSchema())
