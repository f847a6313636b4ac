import { z } from 'zod'
import { preflightReportSchema } from '../helpers/evidence/preflight-report.ts'

/** The JSON Schema (draft 2020-12) of what `npm run preflight -- --json` prints, as it stands in `reports/preflight.schema.json`. */
export function preflightJsonSchema(): string {
  return `${JSON.stringify({ title: 'A look at a live server before maintenance', ...z.toJSONSchema(preflightReportSchema) }, null, 2)}\n`
}
