import type { Drill, Step } from '../../helpers/evidence/evidence.ts'
import { secondsText } from '../layout.ts'
import { Observed } from './problems.tsx'
import { Mark } from './verdict.tsx'

/** What a drill did, in order, each with when it began, how long it took, and a bar that shows both. */
export function Steps({ drill }: { drill: Drill }) {
  const clock = { startedAtMs: Date.parse(drill.startedAt), seconds: Math.max(drill.durationSeconds, 0.001) }
  return <StepList steps={drill.steps} clock={clock} />
}

interface Clock {
  startedAtMs: number
  /** How long the whole drill took. */
  seconds: number
}

function StepList({ steps, clock }: { steps: readonly Step[]; clock: Clock }) {
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        <li key={index}>
          {Object.keys(step.observations).length === 0 ? (
            <div class="step">
              <StepLine step={step} clock={clock} />
            </div>
          ) : (
            <details>
              <summary class="step">
                <StepLine step={step} clock={clock} />
              </summary>
              <Observed observations={step.observations} />
            </details>
          )}
          {step.steps.length > 0 && <StepList steps={step.steps} clock={clock} />}
        </li>
      ))}
    </ol>
  )
}

function StepLine({ step: { title, startedAt, durationSeconds, verdict }, clock }: { step: Step; clock: Clock }) {
  const began = Math.max((Date.parse(startedAt) - clock.startedAtMs) / 1000, 0)
  const left = Math.min((began / clock.seconds) * 100, 100)
  const width = Math.min((durationSeconds / clock.seconds) * 100, 100 - left)
  return (
    <>
      <Mark verdict={verdict} />
      <span class="title">
        {title}
        {verdict !== 'passed' && <b> ({verdict})</b>}
        {verdict === 'passed' && <span class="said"> ({verdict})</span>}
      </span>
      <span class="when">
        <span class="said">began after </span>
        {secondsText(began)}
      </span>
      <span class="took">
        <span class="said">took </span>
        {secondsText(durationSeconds)}
      </span>
      <span class="bar" aria-hidden="true">
        <i style={{ left: percent(left), width: percent(width) }} />
      </span>
    </>
  )
}

function percent(part: number): string {
  return `${Number(part.toFixed(2))}%`
}
