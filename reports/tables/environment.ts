import { z } from 'zod'
import { type Evidence, evidenceSchema } from '../../helpers/evidence/evidence.ts'

const { run, suite, runtime, machine, config } = evidenceSchema.shape

/** `environment.json`: what a run ran on, and what it ran. All of it stands in the evidence as well. */
export const environmentSchema = z.object({
  runId: run.shape.id,
  startedBy: run.shape.startedBy,
  suite,
  runtime,
  machine,
  config,
})
type Environment = z.infer<typeof environmentSchema>

export function environmentOf({ run, suite, runtime, machine, config }: Evidence): Environment {
  return { runId: run.id, startedBy: run.startedBy, suite, runtime, machine, config }
}
