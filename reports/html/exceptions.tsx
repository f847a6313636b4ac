import type { Report } from '../report.ts'
import type { Anchors } from './anchors.ts'
import { Chips, DrillChip, Lines, Section, Table } from './parts.tsx'

/** What an auditor has to be told beside the verdicts, with room for what became of it. */
export function Exceptions({ report: { exceptions }, anchors }: { report: Report; anchors: Anchors }) {
  return (
    <Section id="exceptions" title="Exceptions">
      <p class="lead">
        {exceptions.length === 0
          ? 'None: nothing failed, is unknown, was left out or is a gap.'
          : 'Ticket and reviewer are for people to fill in, on paper or in a copy.'}
      </p>
      {exceptions.length > 0 && (
        <Table
          caption="Exceptions, and what became of each"
          columns={['exception', 'what it is', 'drills', 'remediation ticket', 'reviewer']}
          className="wide"
        >
          {exceptions.map(
            ({
              id,
              kind,
              drill,
              drills = drill === undefined ? [] : [drill],
              sentence,
              remediationTicket,
              reviewer,
            }) => (
              <tr key={id}>
                <th scope="row">{id}</th>
                <td class="text">
                  <Lines text={sentence} />
                </td>
                <td class="text">
                  {drills.length === 0 ? (
                    <span class="soft">{kind === 'control gap' ? 'none that passed' : 'the run as a whole'}</span>
                  ) : (
                    <Chips>
                      {drills.map(one => (
                        <DrillChip key={one} id={one} anchors={anchors} />
                      ))}
                    </Chips>
                  )}
                </td>
                <td class="blank">{remediationTicket}</td>
                <td class="blank">{reviewer}</td>
              </tr>
            ),
          )}
        </Table>
      )}
    </Section>
  )
}
