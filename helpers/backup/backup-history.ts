import { Lsn } from '../postgres/lsn.ts'
import { type BackupLabel, parseBackupLabel } from './backup-label.ts'

/** What the history file of a base backup says, which the server archives at the backup's end. */
export interface BackupHistory extends BackupLabel {
  /** Recovery is consistent from here on. */
  stopLsn: Lsn
  stopTimeline: number
  /** As the server wrote it, in its log_timezone: `2026-01-02 03:04:05 CET`. An abbreviation may stand for several zones. */
  stopTime: string
}

/**
 * @throws {Failure} `backup-label-damaged` as `parseBackupLabel`; {RangeError} for one that says nothing of the backup's end.
 * @see PostgreSQL source, `build_backup_content` in `src/backend/access/transam/xlogbackup.c`
 */
export function parseBackupHistory(text: string): BackupHistory {
  const label = parseBackupLabel(text)
  const stopLsn = /^STOP WAL LOCATION: ([0-9A-F]+\/[0-9A-F]+) \(file [0-9A-F]{24}\)$/m.exec(text)?.[1]
  // Behind the label, in which anything may stand.
  const [, stopTime, stopTimeline] =
    /\nSTOP TIME: ([^\n]+)\nSTOP TIMELINE: (\d+)(?:\nINCREMENTAL [^\n]+)*\n$/.exec(text) ?? []
  if (stopLsn === undefined || stopTime === undefined || stopTimeline === undefined)
    throw new RangeError(`this history says nothing of the end of the backup: ${JSON.stringify(text.slice(0, 200))}`)
  return { ...label, stopLsn: Lsn.parse(stopLsn), stopTimeline: Number(stopTimeline), stopTime }
}
