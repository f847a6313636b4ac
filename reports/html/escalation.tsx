import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { SIGNAL_NAMES } from '../../helpers/evidence/faults.ts'
import { secondsText } from '../layout.ts'
import { type MatrixRow, matrixRows } from '../matrix.ts'
import type { Anchors } from './anchors.ts'
import { DrillChip, Section, Table } from './parts.tsx'

/** Faults down, signals across: what each signal did at each fault, as far as a drill has looked. */
export function Escalation({ evidence: { drills }, anchors }: { evidence: Evidence; anchors: Anchors }) {
  const rows = matrixRows(drills)
  const seen = rows.filter(row => row.seen).length
  return (
    <Section id="escalation" title="Escalation: faults and signals">
      <p class="lead">
        {seen} of {rows.length} faults were made in this run. Each signal was quiet before; where it fires, the time is
        from the fault; where it is quiet, it was watched for longer than its window.
      </p>
      <Table
        caption="What each signal of §4 did at each fault"
        columns={['fault', ...SIGNAL_NAMES, 'what else finds it', 'drill']}
        className="matrix"
      >
        {rows.map(row => (
          <tr key={row.fault} class={row.seen ? '' : 'unseen'}>
            <th scope="row">{row.fault}</th>
            {SIGNAL_NAMES.map(signal => cellOf(row, signal))}
            <td>{row.caughtBy}</td>
            <td>
              <DrillChip id={row.drill} anchors={anchors} {...(row.verdict && { verdict: row.verdict })} />
            </td>
          </tr>
        ))}
      </Table>
    </Section>
  )
}

/** No component: a table has to see its cells. */
function cellOf({ seen, unseen }: MatrixRow, signal: (typeof SIGNAL_NAMES)[number]) {
  if (!seen) return <td class="soft">{unseen}</td>
  if (seen.signals[signal] === 'quiet') return <td class="quiet">quiet</td>
  const seconds = seen.secondsToFire[signal]
  return (
    <td class="fires">
      <b>
        <span aria-hidden="true">▲ </span>fires
      </b>
      {seconds !== undefined && ` after ${secondsText(seconds)}`}
    </td>
  )
}
