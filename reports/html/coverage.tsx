import { counted } from '../layout.ts'
import type { Report } from '../report.ts'
import type { Anchors } from './anchors.ts'
import { Chips, DrillChip, Moment, Presence, Section, Table } from './parts.tsx'

/** The runbook step by step: which drill proved it, and when. */
export function Coverage({ report: { coverage }, anchors }: { report: Report; anchors: Anchors }) {
  const sections = [...new Map(coverage.map(step => [step.section, step.heading]))]
  return (
    <Section id="runbook" title="Runbook coverage">
      {sections.map(([section, heading]) => {
        const steps = coverage.filter(step => step.section === section)
        const proven = steps.filter(({ isProven }) => isProven).length
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
              columns={['step', 'the runbook says', 'in this run', 'drills', 'last']}
            >
              {steps.map(({ step, text, drills, isProven }) => (
                <tr key={step}>
                  <th scope="row">{step}</th>
                  <td class="text">{text}</td>
                  <td>
                    <Presence isThere={isProven}>{isProven ? 'proven' : 'not proven'}</Presence>
                  </td>
                  <td class="text">
                    <Chips>
                      {drills.map(({ id, verdict }) => (
                        <DrillChip key={id} id={id} verdict={verdict} anchors={anchors} />
                      ))}
                    </Chips>
                  </td>
                  <td>
                    <Last
                      moments={drills.filter(({ verdict }) => !isProven || verdict === 'passed').map(({ at }) => at)}
                    />
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

function Last({ moments }: { moments: readonly string[] }) {
  const last = moments.toSorted().at(-1)
  return last === undefined ? <>no drill</> : <Moment at={last} />
}
