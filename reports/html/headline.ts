import type { Drill, Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { counted } from '../layout.ts'
import { countOf } from '../verdicts.ts'

/** What the page says first. */
export interface Headline {
  /** Of the shape and colour beside it: `passed` of a run that proves recovery, and of no other. */
  mark: Verdict
  sentence: string
  explanation: string
}

/** A run's verdict as one sentence that cannot be taken for another. */
export function headlineOf({ run, drills }: Evidence): Headline {
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
      explanation: `It was cut off before it ended${run.verdict === 'failed' ? ', and what had run until then failed' : ''}. What passed until then stands below, and does not make up for the rest.`,
    }
  return ended(run, drills)
}

function ended(run: Evidence['run'], drills: readonly Drill[]): Headline {
  const [passed, failed, unknown] = [countOf('passed', drills), countOf('failed', drills), countOf('unknown', drills)]
  const problems = run.problems.length === 0 ? '' : ` ${counted(run.problems.length, 'problem')} of the run as a whole.`
  if (run.verdict === 'failed')
    return {
      mark: 'failed',
      sentence: 'Recovery is not proven: the run failed',
      explanation: `${counted(failed, 'drill')} failed.${problems}`,
    }
  if (run.verdict === 'passed' && passed > 0 && failed + unknown === 0)
    return { mark: 'passed', sentence: 'Recovery is proven', explanation: scope(run, passed, drills.length - passed) }
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

function scope({ kind, selection }: Evidence['run'], passed: number, notExercised: number): string {
  const what =
    kind === 'live' ? 'The backup that is named below was restored and verified' : `${counted(passed, 'drill')} passed`
  const told = [
    `${what}; none failed, none is unknown.`,
    notExercised > 0 && `${counted(notExercised, 'drill')} could not be exercised here.`,
    selection.length > 0 && `The run was narrowed to ${selection.join(', ')}: it says nothing of the rest.`,
  ]
  return told.filter(one => one !== false).join(' ')
}
