import { z } from 'zod'
import { evidenceSchema } from '../../helpers/evidence/evidence.ts'

const { kind, verdict, startedAt } = evidenceSchema.shape.run.shape

/** A run as later runs remember it: a line of `history.jsonl`. */
export const historyEntrySchema = z.object({
  runId: z.string(),
  kind,
  startedAt,
  endedAt: startedAt,
  verdict,
  commit: z.string(),
  runtime: z.string(),
  serverMajor: z.number().int(),
  digest: z.string().describe('SHA-256 of its SHA256SUMS, as hex'),
  previous: z.string().nullable().describe('That of the run before it; none before the first'),
  drills: z.array(
    z.object({
      id: z.string(),
      verdict,
      durationSeconds: z.number(),
      rtoSeconds: z.number().optional(),
      rpoSeconds: z.number().optional(),
    }),
  ),
})
export type HistoryEntry = z.infer<typeof historyEntrySchema>
