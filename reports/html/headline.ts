import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { counted } from '../layout.ts'
import { filesNotBegun, scopeOf } from '../run-scope.ts'
import { countOf } from '../verdicts.ts'

/** What the page says first. */
export interface Headline {
  /** Of the shape and colour beside it: `passed` of a run that proves what it was of, and of no other. */
  mark: Verdict
  sentence: string
  explanation: string
  /** What the run was of, where it was not whole. */
  scope?: string
}

/** A run's verdict as one sentence that cannot be taken for another, and however it ended, that it was of a part. */
export function headlineOf(evidence: Evidence): Headline {
  const scope = scopeOf(evidence)
  return { ...verdictOf(evidence, scope !== undefined), ...(scope !== undefined && { scope }) }
}

function verdictOf({ run, drills }: Evidence, isPart: boolean): Headline {
  if (run.state === 'running')
    return {
      mark: 'unknown',
      sentence: 'This run has not ended: nothing is proven',
      explanation: 'Its record was never closed. It was still running when this was written, or it was killed.',
    }
  const broken = drills.filter(({ sabotage }) => sabotage !== undefined)
  if (run.kind === 'sabotage' || broken.length > 0)
    return {
      mark: 'not exercised',
      sentence: 'Sabotaged on purpose: this run says nothing about recovery',
      explanation: `Something was broken in each of ${counted(broken.length, 'drill')} to see it turn red; ${countOf('failed', broken)} did.`,
    }
  if (run.state === 'interrupted')
    return {
      mark: run.verdict === 'failed' ? 'failed' : 'unknown',
      sentence: 'The run was interrupted: recovery is not proven',
      explanation: `It was cut off before it ended${run.verdict === 'failed' ? ', and what had run until then failed' : ''}. ${untilThen(run, drills)}`,
    }
  return ended(run, drills, isPart)
}

function untilThen(run: Evidence['run'], drills: readonly Drill[]): string {
  const missing = filesNotBegun(run)
  return [
    countOf('passed', drills) > 0
      ? 'What passed until then stands below, and does not make up for the rest.'
      : 'Nothing had passed until then.',
    ...(missing > 0 ? [`${notBegunText(missing)}.`] : []),
  ].join(' ')
}

/** Of files with drills, one or more. */
export function notBegunText(files: number): string {
  return `${counted(files, 'file')} of drills ${files === 1 ? 'was' : 'were'} not begun`
}

function ended(run: Evidence['run'], drills: readonly Drill[], isPart: boolean): Headline {
  const [passed, failed, unknown] = [countOf('passed', drills), countOf('failed', drills), countOf('unknown', drills)]
  const problems = run.problems.length === 0 ? '' : ` ${counted(run.problems.length, 'problem')} of the run as a whole.`
  if (run.verdict === 'failed')
    return {
      mark: 'failed',
      sentence: 'Recovery is not proven: the run failed',
      explanation: `${counted(failed, 'drill')} failed.${problems}`,
    }
  if (run.verdict === 'passed' && passed > 0 && failed + unknown === 0) {
    const explanation = whatPassed(run, drills)
    if (isPart) return { mark: 'passed', sentence: 'What was selected is proven', explanation }
    return drills.some(isProofOfRecovery)
      ? { mark: 'passed', sentence: 'Recovery is proven', explanation }
      : { mark: 'unknown', sentence: 'Recovery is not proven: nothing was recovered', explanation }
  }
  if (passed + failed + unknown === 0)
    return {
      mark: 'unknown',
      sentence: 'No drill was exercised: nothing is proven',
      explanation: `Each of ${counted(drills.length, 'drill')} was left out or could not run here.${problems}`,
    }
  return {
    mark: 'unknown',
    sentence: 'It is not known whether recovery works',
    explanation: `${counted(unknown, 'drill')} came to no result, and missing proof is never a pass.${problems}`,
  }
}

/** One that recovers by the playbook, the runbook's section 3: settings and alarms are not recovery. */
function isProofOfRecovery({ runbook, verdict }: Drill): boolean {
  return verdict === 'passed' && /^3\b/.test(runbook)
}

function whatPassed({ kind }: Evidence['run'], drills: readonly Drill[]): string {
  const passed = countOf('passed', drills)
  const notExercised = drills.length - passed
  const what =
    kind === 'live' ? 'The backup that is named below was restored and verified' : `${counted(passed, 'drill')} passed`
  const told = [
    `${what}; none failed, none is unknown.`,
    notExercised > 0 && `${counted(notExercised, 'drill')} could not be exercised here.`,
    !drills.some(isProofOfRecovery) && 'No drill that recovers is among what passed: this says nothing of recovery.',
  ]
  return told.filter(one => one !== false).join(' ')
}
