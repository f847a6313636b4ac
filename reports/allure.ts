import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Evidence, Verdict } from '../helpers/evidence/evidence.ts'
import { redact } from '../helpers/evidence/redact.ts'
import { announced, type RunFacts } from '../helpers/evidence/run-facts.ts'

/** Of Allure's test result, what is looked at here. */
interface AllureResult {
  name: string
  status?: string
  statusDetails?: { message?: string }
  /** Milliseconds since 1970. */
  start?: number
  stop?: number
  labels: { name: string; value: string }[]
  parameters: { name: string; value: string }[]
}

const statuses: Record<Verdict, string> = {
  passed: 'passed',
  failed: 'failed',
  unknown: 'broken',
  'not exercised': 'skipped',
}

/**
 * A lifecycle listener for Allure's reporter, which has to stand behind ours. It takes the run's secrets out of each
 * result before it is written, and gives it the verdict of the evidence: Allure itself knows no failures but
 * assertions, and would pass a drill that proved nothing. What is attached as a file does not pass here.
 */
export const allureListener = {
  beforeTestResultWrite(result: AllureResult): void {
    const { facts } = announced()
    if (!facts) return
    const id = result.labels.find(({ name }) => name === 'drillId')?.value
    const sabotage = result.parameters.find(({ name }) => name === 'sabotage')?.value
    const drill = readEvidence(facts).drills.find(
      one => one.title === result.name && one.sabotage === sabotage && (id === undefined || one.id === id),
    )
    result.status = statuses[drill?.verdict ?? 'unknown']
    if (drill?.reason !== undefined) result.statusDetails = { ...result.statusDetails, message: drill.reason }
    if (drill) {
      // Of a drill that was not exercised it takes the moment it hears of it, which may be in another run.
      result.start = Date.parse(drill.startedAt)
      result.stop = result.start + Math.round(drill.durationSeconds * 1000)
    }
    Object.assign(result, redact(result, facts.secrets))
  },
}

function readEvidence({ directory }: RunFacts): Evidence {
  return JSON.parse(readFileSync(path.join(directory, 'evidence.json'), 'utf8')) as Evidence
}
