import { Failure } from '../failure.ts'
import { Lsn } from '../postgres/lsn.ts'

/** What `backup_label` says of the backup that it lies in. */
export interface BackupLabel {
  /** Where replay has to begin. */
  startLsn: Lsn
  timeline: number
  label: string
  /** Of an incremental backup that was not combined: the one it needs began there. No server starts from it. */
  incrementalFrom?: Lsn
}

/**
 * @throws {Failure} `backup-label-damaged` for whatever PostgreSQL would not start with.
 * @see PostgreSQL source, `build_backup_content` in `src/backend/access/transam/xlogbackup.c`
 */
export function parseBackupLabel(text: string): BackupLabel {
  const start = /^START WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) \(file ([0-9A-F]{8})[0-9A-F]{16}\)\n/.exec(text)
  const timeline = /^START TIMELINE: (\d+)$/m.exec(text)?.[1]
  const label = /^LABEL: (.*)$/m.exec(text)?.[1]
  if (start?.[1] === undefined || start[2] === undefined || timeline === undefined || label === undefined)
    throw new Failure('backup-label-damaged', `this is no backup_label: ${JSON.stringify(text.slice(0, 200))}`)
  if (Number.parseInt(start[2], 16) !== Number(timeline))
    throw new Failure(
      'backup-label-damaged',
      `backup_label says timeline ${timeline}, and ${Number.parseInt(start[2], 16)} in the name of the segment that it starts in`,
    )
  const incrementalFrom = /^INCREMENTAL FROM LSN: ([0-9A-F]+\/[0-9A-F]+)$/m.exec(text)?.[1]
  return {
    startLsn: Lsn.parse(start[1]),
    timeline: Number(timeline),
    label,
    ...(incrementalFrom === undefined ? {} : { incrementalFrom: Lsn.parse(incrementalFrom) }),
  }
}
