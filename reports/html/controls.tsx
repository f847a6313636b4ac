import { counted } from '../layout.ts'
import type { Report } from '../report.ts'
import type { Anchors } from './anchors.ts'
import { Chips, DrillChip, Lines, Presence, Section, Table } from './parts.tsx'

/** Controls of standards, and the drills whose passing supports them. */
export function Controls({ report: { controls }, anchors }: { report: Report; anchors: Anchors }) {
  const gaps = controls.filter(({ isSupported }) => !isSupported).length
  return (
    <Section id="controls" title="Controls">
      <p class="lead">
        A drill that passed supports a control; whether the control is met is for the auditor to say.{' '}
        {gaps === 0 ? 'No control is without one.' : `${counted(gaps, 'control')} without one: a gap.`}
      </p>
      <Table
        caption="Controls, and what this run has for each"
        columns={['standard', 'control', 'in this run', 'what it is', 'drills']}
        className="wide"
      >
        {controls.map(({ standard, id, title, evidence, isSupported, sentence }) => (
          <tr key={`${standard} ${id}`} class={isSupported ? '' : 'gap'}>
            <td>{standard}</td>
            <th scope="row">{id}</th>
            <td>
              <Presence isThere={isSupported}>{isSupported ? 'supported' : 'gap'}</Presence>
            </td>
            <td class="text">
              {title}
              <br />
              <span class="soft">
                <Lines text={sentence} />
              </span>
            </td>
            <td class="text">
              <Chips>
                {evidence.map(({ drill, verdict }) => (
                  <DrillChip key={drill} id={drill} verdict={verdict} anchors={anchors} />
                ))}
              </Chips>
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}
