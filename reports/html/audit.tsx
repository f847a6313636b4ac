import type { Drill } from '../../helpers/evidence/evidence.ts'
import { baseBackupOf } from '../base-backup.ts'
import { bytesText, counted } from '../layout.ts'
import type { Report } from '../report.ts'
import type { Anchors } from './anchors.ts'
import type { AnchoredDeviation } from './deviations.tsx'
import { Starter, tookText } from './front.tsx'
import { headlineOf } from './headline.ts'
import { momentText } from './numbers.ts'
import { DrillChip, Facts, Moment, Section, Table } from './parts.tsx'

/** What an auditor asks of a drill, and lines to sign on. */
export function Audit({
  report,
  shared,
  anchors,
}: {
  report: Report
  shared: readonly AnchoredDeviation[]
  anchors: Anchors
}) {
  const { run, suite, runtime, machine, drills } = report.evidence
  const { sentence, scope } = headlineOf(report.evidence)
  return (
    <Section id="audit" title="For the auditor">
      <Facts
        className="audit"
        facts={[
          ['Who ran it', <Starter key="who" startedBy={run.startedBy} />],
          ['When', <Moment key="when" at={run.startedAt} />],
          ['Until', run.endedAt === undefined ? 'It has no end' : <Moment key="until" at={run.endedAt} />],
          ['How long', tookText(run)],
          [
            'Which backup',
            <a key="backups" href="#backups">
              {backupsText(drills)}
            </a>,
          ],
          [
            'Target environment',
            `PostgreSQL ${runtime.serverVersion} on the ${runtime.name} runtime (${runtime.reason}), ${machine.platform} ${machine.architecture}`,
          ],
          [
            'Version of the procedure',
            <>
              the runbook with the SHA-256 <code>{suite.runbookSha256}</code>, drilled by {suite.name} {suite.version}{' '}
              at <code>{suite.commit}</code>
            </>,
            'long',
          ],
          ['Result', `${run.verdict} (${run.state}). ${sentence}${scope === undefined ? '' : ` (${scope})`}.`],
          [
            'Deviations',
            <a key="deviations" href="#deviations">
              {counted(shared.length, 'deviation')} from the runbook
            </a>,
          ],
          [
            'Exceptions',
            <a key="exceptions" href="#exceptions">
              {counted(report.exceptions.length, 'exception')}
            </a>,
          ],
        ]}
      />
      <Backups drills={drills} anchors={anchors} />
      <div class="sign">
        <h3>Review</h3>
        <dl>
          {['Remediation ticket', 'Decision', "Reviewer's name", 'Date', 'Signature'].map(name => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <span class="said">to be filled in by hand</span>
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Section>
  )
}

function backupsText(drills: readonly Drill[]): string {
  const count = drills.filter(drill => baseBackupOf(drill)).length
  if (count === 0) return 'No backup is told of'
  return drills.some(({ tags }) => tags.includes('live'))
    ? "The user's own, below"
    : `${counted(count, 'backup')} that the drills took themselves, below`
}

function Backups({ drills, anchors }: { drills: readonly Drill[]; anchors: Anchors }) {
  const backups = drills.flatMap(drill => {
    const backup = baseBackupOf(drill)
    return backup ? [{ drill, backup }] : []
  })
  return (
    <details id="backups">
      <summary>The base backups, their times and sizes</summary>
      {backups.length === 0 ? (
        <p>No drill of this run tells of a base backup.</p>
      ) : (
        <Table caption="The first base backup of each drill" columns={['drill', 'backup', 'taken', 'WAL', 'size']}>
          {backups.map(({ drill, backup: { where, step, takenAt, wal } }) => (
            <tr key={anchors.of(drill)}>
              <th scope="row">
                <DrillChip id={drill.id} anchors={anchors} />
              </th>
              <td class="text">{where ?? step}</td>
              <td>{takenAt === undefined ? 'not known' : where === undefined ? momentText(takenAt) : takenAt}</td>
              <td class="number">{wal}</td>
              <td class="number">
                {drill.sizes.baseBackupBytes === undefined ? 'not measured' : bytesText(drill.sizes.baseBackupBytes)}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </details>
  )
}
