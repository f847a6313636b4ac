import { z } from 'zod'
import type { Drill, Evidence, Problem } from '../../helpers/evidence/evidence.ts'
import type { ControlCoverage } from '../controls/controls.ts'
import type { Trend } from '../history/trends.ts'
import { secondsText } from '../layout.ts'
import { type SharedDeviation, sharedDeviations } from '../shared-deviations.ts'

const exceptionSchema = z.object({
  id: z.string().describe("As within the run: 'P1 failed', 'R5 not exercised', 'control gap CC7.5', 'deviation 3.4'"),
  kind: z.enum([
    'failed',
    'unknown',
    'not exercised',
    'objective missed',
    'slower',
    'control gap',
    'deviation',
    'run problem',
  ]),
  drill: z.string().optional(),
  drills: z.array(z.string()).optional().describe('Of a deviation: all that met it'),
  sentence: z.string(),
  proposedText: z.string().optional().describe('Of a deviation: what we propose that the runbook say'),
  remediationTicket: z.string().describe('Left empty, for people to fill in a copy'),
  reviewer: z.string().describe('Left empty, for people to fill in a copy'),
})

/** What an auditor has to be told beside the verdicts, with room for what became of it. */
export type Exception = z.infer<typeof exceptionSchema>

/** `exceptions.json`: the worst first. */
export const exceptionsSchema = z.array(exceptionSchema)

type Told = Omit<Exception, 'remediationTicket' | 'reviewer'>

/** All of a run, each with an id of its own within it: first what is wrong, then what is missing, then what is to be improved. */
export function exceptionsOf(
  evidence: Evidence,
  { controls, trends }: { controls: readonly ControlCoverage[]; trends: readonly Trend[] },
): Exception[] {
  const { drills } = evidence
  const told = [
    ...evidence.run.problems.map(problemOfRun),
    ...notEnded(evidence),
    ...drills.flatMap(failures),
    ...drills.flatMap(missedObjectives),
    ...drills.flatMap(withReason),
    ...trends.flatMap(slower),
    ...controls.filter(({ isSupported }) => !isSupported).map(gap),
    ...sharedDeviations(evidence).map(deviationOf),
  ]
  return eachIdOnce(told).map(one => ({ ...one, remediationTicket: '', reviewer: '' }))
}

function problemOfRun({ kind, message }: Problem): Told {
  return { id: `run ${kind}`, kind: 'run problem', sentence: message }
}

/** Such a record has no problem that says so: nobody was there to write one. */
function notEnded({ run }: Evidence): Told[] {
  if (run.state !== 'running') return []
  return [{ id: 'run not ended', kind: 'run problem', sentence: 'the run had not ended when this was written' }]
}

function failures({ id, title, verdict, problems }: Drill): Told[] {
  if (verdict !== 'failed') return []
  return [{ id: `${id} failed`, kind: 'failed', drill: id, sentence: `${title}: ${messages(problems)}` }]
}

function messages(problems: readonly Problem[]): string {
  return problems.map(({ message }) => message).join('; ') || 'failed'
}

function withReason({ id, title, verdict, reason, problems }: Drill): Told[] {
  if (verdict !== 'unknown' && verdict !== 'not exercised') return []
  return [{ id: `${id} ${verdict}`, kind: verdict, drill: id, sentence: `${title}: ${reason ?? messages(problems)}` }]
}

function missedObjectives({ id, rto, rpo }: Drill): Told[] {
  return Object.entries({ RTO: rto, RPO: rpo }).flatMap(([name, measured]) => {
    if (measured?.verdict !== 'missed') return []
    const sentence = `the ${name} was ${secondsText(measured.seconds)}, and the objective is ${measured.objectiveSeconds} s`
    return [{ id: `${id} ${name}`, kind: 'objective missed' as const, drill: id, sentence }]
  })
}

function slower({ drill, warning }: Trend): Told[] {
  return warning === undefined ? [] : [{ id: `${drill} slower`, kind: 'slower', drill, sentence: warning }]
}

function gap({ id, sentence }: ControlCoverage): Told {
  return { id: `control gap ${id}`, kind: 'control gap', sentence }
}

function deviationOf({ deviation, drills }: SharedDeviation): Told {
  const { section, what, why, proposedText } = deviation
  return {
    id: `deviation ${section}`,
    kind: 'deviation',
    drills: drills.map(({ id }) => id),
    sentence: `${what}: ${why}`,
    proposedText,
  }
}

/** A ticket names an exception by its id: a second of the same name is numbered. */
function eachIdOnce(told: readonly Told[]): Told[] {
  const seen = new Map<string, number>()
  return told.map(one => {
    const count = (seen.get(one.id) ?? 0) + 1
    seen.set(one.id, count)
    return count === 1 ? one : { ...one, id: `${one.id} (${count})` }
  })
}
