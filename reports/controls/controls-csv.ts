import type { Drill } from '../../helpers/evidence/evidence.ts'
import { baseBackupOf } from '../base-backup.ts'
import type { Report } from '../report.ts'
import { type Cell, csv } from '../tables/csv.ts'
import { drillOf } from '../worth.ts'

const COLUMNS = [
  'standard',
  'control',
  'title',
  'status',
  'finding',
  'note',
  'drill',
  'drill_title',
  'verdict',
  'result',
  'started_at',
  'duration_seconds',
  'base_backup',
  'base_backup_taken_at',
  'base_backup_bytes',
  'rto_seconds',
  'rpo_seconds',
  'deviations',
  'exceptions',
  'run_id',
  'run_kind',
  'run_verdict',
  'run_by',
  'environment',
  'suite_commit',
  'runbook_sha256',
  'reviewer',
  'remediation_ticket',
] as const
type Row = Partial<Record<(typeof COLUMNS)[number], Cell>>

/**
 * `controls.csv`: a row for each control and drill, also of drills that the run did not have, and one for a control without any; the
 * last two columns are for people to fill in a copy.
 */
export function controlsCsv({
  evidence,
  controls,
  exceptions,
}: Pick<Report, 'evidence' | 'controls' | 'exceptions'>): string {
  const { run, runtime, suite } = evidence
  const ofRun = {
    run_id: run.id,
    run_kind: run.kind,
    run_verdict: run.verdict,
    run_by: `${run.startedBy.name} (${run.startedBy.source})`,
    environment: [`PostgreSQL ${runtime.serverVersion}`, runtime.name, runtime.image].filter(Boolean).join(', '),
    suite_commit: suite.commit,
    runbook_sha256: suite.runbookSha256,
  }
  const rows = controls.flatMap(({ standard, id: control, title, isSupported, sentence, note, drills }): Row[] => {
    const ofControl = { standard, control, title, status: isSupported ? 'supported' : 'gap', finding: sentence, note }
    if (drills.length === 0) return [{ ...ofControl, ...ofRun }]
    return drills.map(id => {
      const drill = drillOf(evidence, id)
      const ofDrill = drill ? cellsOf(drill) : { verdict: 'not part of the run' }
      const counted = exceptions.filter(one => one.drill === id).length
      return { ...ofControl, drill: id, ...ofDrill, exceptions: drill && counted, ...ofRun }
    })
  })
  return csv(COLUMNS, rows)
}

function cellsOf(drill: Drill): Row {
  const backup = baseBackupOf(drill)
  return {
    drill_title: drill.title,
    verdict: drill.verdict,
    result: resultOf(drill),
    started_at: drill.startedAt,
    duration_seconds: drill.durationSeconds,
    base_backup: backup && (backup.where ?? backup.wal),
    base_backup_taken_at: backup?.takenAt,
    base_backup_bytes: drill.sizes.baseBackupBytes,
    rto_seconds: drill.rto?.seconds,
    rpo_seconds: drill.rpo?.seconds,
    deviations: drill.deviations.length,
  }
}

function resultOf({ verdict, proofs, problems, reason }: Drill): string | undefined {
  const [first, ...more] = proofs
  if (verdict === 'passed') return more.length === 0 ? first : `${first}; and ${more.length} more`
  return reason ?? problems.map(({ message }) => message).join('; ')
}
