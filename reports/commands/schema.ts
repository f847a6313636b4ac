// npm run schema: writes the JSON Schemas of what this suite writes and prints beside the reports' code.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { jsonSchemas } from '../json-schemas.ts'

for (const [name, text] of jsonSchemas()) writeFileSync(path.resolve(import.meta.dirname, '..', name), text)
