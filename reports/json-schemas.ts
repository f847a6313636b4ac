import { z } from 'zod'
import { evidenceSchema } from '../helpers/evidence/evidence.ts'
import { preflightReportSchema } from '../helpers/evidence/preflight-report.ts'
import { historyEntrySchema } from './history/history.ts'
import { environmentSchema } from './tables/environment.ts'
import { exceptionsSchema } from './tables/exceptions.ts'

/** Of every JSON that this suite writes or prints: what it is, by the name of the file in `reports` that its schema stands in. */
const SCHEMAS = {
  'evidence.schema.json': { title: 'Evidence of a run of drills', schema: evidenceSchema },
  'exceptions.schema.json': { title: 'What is to be told beside the verdicts of a run', schema: exceptionsSchema },
  'environment.schema.json': { title: 'What a run of drills ran on', schema: environmentSchema },
  'history.schema.json': {
    title: 'A run as later runs remember it: a line of history.jsonl',
    schema: historyEntrySchema,
  },
  'preflight.schema.json': { title: 'A look at a live server before maintenance', schema: preflightReportSchema },
}

/** The texts of the JSON Schemas (draft 2020-12), by the names of their files. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(SCHEMAS).map(([file, { title, schema }]) => [
      file,
      `${JSON.stringify({ title, ...z.toJSONSchema(schema) }, null, 2)}\n`,
    ]),
  )
}
