import { counted } from '../layout.ts'
import type { Report } from '../report.ts'
import type { StepCoverage, StepOutcome } from '../runbook/coverage.ts'
import { countOf } from '../verdicts.ts'
import type { Anchors } from './anchors.ts'
import { Chips, DrillChip, Moment, Prose, Section, Table } from './parts.tsx'
import { type Shape, VerdictWord } from './verdict.tsx'

/** The runbook step by step: which drill proved it, and when. */
export function Coverage({ report: { coverage }, anchors }: { report: Report; anchors: Anchors }) {
  const sections = [...new Map(coverage.map(step => [step.section, step.heading]))]
  return (
    <Section id="runbook" title="Runbook coverage">
      {sections.map(([section, heading]) => {
        const steps = coverage.filter(step => step.section === section)
        const proven = steps.filter(({ outcome }) => outcome === 'proven').length
        return (
          <section id={`runbook-${section}`} key={section} aria-labelledby={`runbook-${section}-title`}>
            <h3 id={`runbook-${section}-title`}>
              §{section} {heading}
            </h3>
            <p class="soft">
              {proven} of {counted(steps.length, 'step')} proven in this run
            </p>
            <Table
              caption={`Steps of §${section}, and the drills that prove them`}
              className="wide"
              columns={['step', 'the runbook says', 'in this run', 'drills', 'proven at']}
            >
              {steps.map(step => (
                <tr key={step.step}>
                  <th scope="row">{step.step}</th>
                  <td class="text">
                    <Prose text={step.text} />
                  </td>
                  <td>
                    <Outcome step={step} />
                  </td>
                  <td class="text">
                    {step.drills.length === 0 ? (
                      <span class="soft">none in this run</span>
                    ) : (
                      <Chips>
                        {step.drills.map(({ id, verdict }) => (
                          <DrillChip key={id} id={id} verdict={verdict} anchors={anchors} />
                        ))}
                      </Chips>
                    )}
                  </td>
                  <td>
                    <ProvenAt step={step} />
                  </td>
                </tr>
              ))}
            </Table>
          </section>
        )
      })}
    </Section>
  )
}

/** A shape for each outcome but for the two of which there is nothing to see. */
export function shapeOf(outcome: StepOutcome): Shape {
  if (outcome === 'proven') return 'passed'
  return outcome === 'not part of this run' || outcome === 'not begun' ? 'absent' : outcome
}

function Outcome({ step: { outcome, drills } }: { step: StepCoverage }) {
  const failed = countOf('failed', drills)
  return (
    <>
      <VerdictWord verdict={shapeOf(outcome)}>{outcome}</VerdictWord>
      {outcome === 'proven' && failed > 0 && (
        <>
          <br />
          <VerdictWord verdict="failed">but {counted(failed, 'drill')} failed</VerdictWord>
        </>
      )}
    </>
  )
}

function ProvenAt({ step: { outcome, drills } }: { step: StepCoverage }) {
  const moments = drills.filter(({ verdict }) => verdict === 'passed').map(({ at }) => at)
  const last = moments.toSorted().at(-1)
  return outcome === 'proven' && last !== undefined ? <Moment at={last} /> : <span class="soft">not in this run</span>
}
