import type { LiveSnapshot } from './snapshot-file.ts'

/** A snapshot in a few fields, for a program. */
export interface SnapshotSummary {
  takenAt: string
  systemIdentifier: string
  database: string
  timeline: number
  fromLsn: string
  toLsn: string
  exact: boolean
  heldSeconds: number
  /** Whether the archive covers `fromLsn`, or why it is not known. */
  archive: string
  tables: number
  rows: number
  /** Tables whose rows are all in a checksum, some of them, or only counted, and tables of which nothing is known. */
  checksummed: number
  sampled: number
  counted: number
  unread: number
}

export function summarizeSnapshot(snapshot: LiveSnapshot): SnapshotSummary {
  const { takenAt, systemIdentifier, database, timeline, fromLsn, toLsn, exact, heldSeconds, archive, tables } =
    snapshot
  const read = tables.flatMap(table => ('rows' in table ? [table] : []))
  const sampled = read.filter(table => table.sampled).length
  const checksummed = read.filter(table => table.checksum !== undefined).length - sampled
  return {
    takenAt,
    systemIdentifier,
    database,
    timeline,
    fromLsn: String(fromLsn),
    toLsn: String(toLsn),
    exact,
    heldSeconds,
    archive: 'notListed' in archive ? `not listed, because ${archive.notListed}` : archive.coverage,
    tables: tables.length,
    rows: read.reduce((sum, { rows }) => sum + rows, 0),
    checksummed,
    sampled,
    counted: read.length - checksummed - sampled,
    unread: tables.length - read.length,
  }
}

/** A snapshot in a few lines, for people. */
export function describeSnapshot(snapshot: LiveSnapshot): string[] {
  const { rows, tables, checksummed, sampled, counted, unread } = summarizeSnapshot(snapshot)
  const { fromLsn, toLsn, exact, transactionsInProgress, archive } = snapshot
  const how = [
    [checksummed, 'with a checksum of all rows'],
    [sampled, 'with a checksum of some rows'],
    [counted, 'counted'],
    [unread, 'not read'],
  ] as const
  const parts = how.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return [
    `${snapshot.database} of system ${snapshot.systemIdentifier}, PostgreSQL ${snapshot.serverVersion}, timeline ${snapshot.timeline}, at ${snapshot.takenAt}`,
    exact
      ? `exact at ${fromLsn}: it holds every commit before, and no other`
      : `not exact, since others were writing: it holds every commit before ${fromLsn} that had ended, none after ${toLsn}, and of ${transactionsInProgress} in progress perhaps some; its counts are bounds`,
    `${tables} tables, ${rows} rows${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`,
    'notListed' in archive
      ? `archive not listed, because ${archive.notListed}`
      : `archive ${archive.where}: ${archive.segments.join(', ') || 'no segment'}; ${archive.coverage}`,
    `held its transaction for ${snapshot.heldSeconds.toFixed(3)} s, and vacuum back for as long`,
  ]
}
