import { redactCommand } from '../environment.ts'
import type { Row, Session } from '../postgres/session.ts'
import { judgeArchiveCommand } from './archive-command.ts'

/** One check of a setting. `failure` is a no-go; `warning` is a go with something to know. */
export interface Check {
  /** The setting's name. */
  name: string
  verdict: 'ok' | 'warning' | 'failure'
  seen: string
  wanted: string
  /** The file and the line that it is set in, where PostgreSQL tells. */
  source?: string
  /** The configuration file holds another value, which waits for a restart. */
  pendingRestart?: boolean
  /** What to do, and whom to page; empty when ok. */
  advice: string
}

/** A row of `pg_settings`. */
export interface SettingRow {
  name: string
  /** In the setting's own unit: MB for `wal_keep_size`, seconds for `archive_timeout`. */
  setting: string
  source: string
  sourcefile: string | null
  sourceline: number | null
  /** The configuration file holds another value, which waits for a restart. */
  pendingRestart: boolean
}

export interface ArchivalSettingsOptions {
  /** Folders below a volatile one that the user says are durable all the same: a drill's own archive lies in a temporary folder. */
  durablePaths?: readonly string[]
}

type Judgement = Pick<Check, 'verdict' | 'seen'> & { why: string }

interface Rule {
  wanted: string
  judge(value: string, setting: (name: string) => string | undefined, options: ArchivalSettingsOptions): Judgement
}

const PAGE = 'Page the platform owner for a config change.'

const ok = (seen: string): Judgement => ({ verdict: 'ok', seen, why: '' })
const warning = (seen: string, why: string): Judgement => ({ verdict: 'warning', seen, why })
const failure = (seen: string, why: string): Judgement => ({ verdict: 'failure', seen, why })

/** The runbook's §1 table, and what else decides whether what it requires can be true. */
const RULES: Readonly<Record<string, Rule>> = {
  archive_mode: {
    wanted: 'on',
    judge(value) {
      if (value === 'on') return ok(value)
      // On a primary `always` archives as `on` does; a standby made from it then archives too.
      if (value === 'always')
        return warning(value, 'It archives, but so will every standby made from this server, into the same archive.')
      return failure(value, 'Nothing is archived.')
    },
  },
  wal_level: {
    wanted: 'replica or logical',
    judge: value =>
      value === 'replica' || value === 'logical'
        ? ok(value)
        : failure(value, 'The WAL lacks what recovery from an archive needs.'),
  },
  archive_command: {
    wanted: 'a command that stores each segment in a durable place',
    judge(value, setting, { durablePaths = [] }) {
      const seen = redactCommand(value)
      // What pg_settings shows of any command while nothing is archived (`show_archive_command` in xlog.c).
      if (value === '(disabled)')
        return warning(seen, 'The server shows the command only while it archives: look again then.')
      if (value === '' && setting('archive_library')) return warning(seen, 'archive_library archives in its place.')
      const fault = judgeArchiveCommand(value, { dataDirectory: setting('data_directory'), durablePaths })
      return fault ? failure(seen, fault) : ok(seen)
    },
  },
  archive_library: {
    wanted: 'empty, and an archive_command',
    judge(value) {
      if (value === '') return ok(value)
      return failure(
        value,
        'A library archives in place of archive_command; where it stores, no setting here tells, so no durable place is proven.',
      )
    },
  },
  wal_keep_size: {
    wanted: 'more than 0 MB',
    judge: value =>
      Number(value) > 0
        ? ok(`${value} MB`)
        : failure(
            `${value} MB`,
            "The runbook requires it, so that a standby or a copy that is cut off for a moment catches up without the archive; 0 is PostgreSQL's default, and a recovery from the archive does not need it.",
          ),
  },
  archive_timeout: {
    wanted: 'more than 0 s',
    judge(value) {
      if (Number(value) > 0) return ok(`${value} s`)
      return warning(
        `${value} s`,
        'The RPO is unbounded: on a quiet server a commit may wait in an unarchived segment for ever.',
      )
    },
  },
  full_page_writes: {
    wanted: 'on',
    judge(value) {
      if (value === 'on') return ok(value)
      // "Turning off this parameter does not affect use of WAL archiving for PITR" (documentation, Write Ahead Log): no failure.
      return warning(value, 'A crash may leave torn pages. Recovery from a base backup is not affected.')
    },
  },
  // In the runbook's query, without a requirement: seen, for the record.
  max_wal_size: { wanted: 'any', judge: value => ok(`${value} MB`) },
  // Which role sees it decides whether the archive_command can be judged at all.
  data_directory: { wanted: 'visible', judge: value => ok(value) },
}

/**
 * The runbook's §1 as checks, one for each setting that bears on it, in a fixed order. A row that is missing is a failure:
 * what cannot be seen is not proven.
 */
export function checkArchivalSettings(rows: readonly SettingRow[], options: ArchivalSettingsOptions = {}): Check[] {
  const byName = new Map(rows.map(row => [row.name, row]))
  return Object.entries(RULES).map(([name, rule]) => {
    const row = byName.get(name)
    if (!row) {
      const advice = 'Not visible to this role: connect as a member of pg_monitor.'
      return { name, verdict: 'failure', seen: 'not visible', wanted: rule.wanted, advice }
    }
    const judgement = rule.judge(row.setting, other => byName.get(other)?.setting, options)
    return toCheck(row, rule.wanted, judgement)
  })
}

function toCheck(row: SettingRow, wanted: string, { verdict, seen, why }: Judgement): Check {
  const reasons = why ? [why] : []
  if (row.pendingRestart)
    reasons.push('The configuration file holds another value, which takes effect at the next restart.')
  const { name, source, sourcefile, sourceline, pendingRestart } = row
  const check = {
    name,
    seen,
    wanted,
    source: sourcefile ? `${sourcefile}:${sourceline}` : source,
    ...(pendingRestart ? { pendingRestart } : {}),
  }
  if (reasons.length === 0) return { ...check, verdict, advice: '' }
  const advice = [...reasons, PAGE].join(' ')
  return { ...check, verdict: verdict === 'ok' ? 'warning' : verdict, advice }
}

/** Of all settings that `checkArchivalSettings` looks at. */
export const archivalSettingNames: readonly string[] = Object.keys(RULES)

/** The rows that `checkArchivalSettings` looks at. */
export function readArchivalSettings(session: Session): Promise<SettingRow[]> {
  return readSettings(session, archivalSettingNames)
}

/**
 * Settings, in one query that works on PostgreSQL 15 to 18. A role without `pg_monitor` sees fewer of them.
 * @see PostgreSQL documentation, "pg_settings"
 */
export async function readSettings(session: Session, names: readonly string[]): Promise<SettingRow[]> {
  const rows = await session.query<Row & { name: string; setting: string; source: string }>(
    `SELECT name, setting, source, sourcefile, sourceline, pending_restart
       FROM pg_settings WHERE name = ANY (string_to_array($1, ',')) ORDER BY name`,
    [names.join(',')],
  )
  return rows.map(({ name, setting, source, sourcefile, sourceline, pending_restart }) => ({
    name,
    setting,
    source,
    sourcefile: sourcefile ?? null,
    sourceline: sourceline == null ? null : Number(sourceline),
    pendingRestart: pending_restart === 't',
  }))
}
