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

/** What a backup history file, which PostgreSQL archives at the end of a backup, says of that end. */
export interface BackupEnd {
  stopLsn: Lsn
  /** With its offset; undefined where it is told by a name for one, which may mean several. */
  stoppedAt?: string
}

/**
 * @returns undefined for a text that is no backup history.
 * @see PostgreSQL source, `build_backup_content` in `src/backend/access/transam/xlogbackup.c`
 */
export function parseBackupEnd(text: string): BackupEnd | undefined {
  const stop = /^STOP WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) /m.exec(text)?.[1]
  if (stop === undefined) return undefined
  const [, time, zone = ''] = /^STOP TIME: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (\S+)$/m.exec(text) ?? []
  const offset = /^(?:UTC|GMT)$/.test(zone) ? '+00' : /^[+-]\d\d(?:\d\d)?$/.test(zone) ? zone : undefined
  return {
    stopLsn: Lsn.parse(stop),
    ...(time !== undefined && offset !== undefined ? { stoppedAt: `${time}.000000${offset}` } : {}),
  }
}
