import { Failure } from '../failure.ts'
import type { Session } from '../postgres/session.ts'
import { checksumSql } from './checksum.ts'
import type { ExpectedRows, Ledger, LedgerAt, LedgerCommit, Moment, RowGroup } from './ledger.ts'

/** How the rows of a table are found again. */
export interface LedgerTable {
  table: string
  /** SQL for a row's key in the ledger, over `from`. */
  key: string
  /** SQL for the columns that the ledger predicts, in the order in which `rowChecksum` was given them. */
  columns: readonly string[]
  /** FROM clause; left joins alone, so that no row of the table is lost. */
  from: string
}

/** Rows of one key that are not as the ledger says. */
interface Difference {
  table: string
  key: string
  /** None for rows that the ledger knows nothing of. */
  commit?: string
  expectedRows: number
  foundRows: number
}

/** What a server holds against what the ledger promised. */
export interface Comparison {
  /** The moment in words. */
  moment: string
  /** Promised, and not there. */
  missing: Difference[]
  /** There, and of a later commit or of none that the ledger knows. */
  unexpected: Difference[]
  /** As many as should be, with other contents. */
  altered: Difference[]
  /** Of commits that may be there, and then must be so wholly. */
  halfPresent: Difference[]
  promisedCommits: number
  /** Promised, and not one of their rows missing or altered. */
  intactCommits: number
  /** In flight at the moment: either outcome is right. */
  undecidedCommits: number
  promisedRows: number
  presentRows: number
  /** Acknowledged, not promised, and as far as can be told not there: to be entered again. In the order they were sent. */
  discarded: LedgerCommit[]
}

interface Found {
  rows: number
  checksum: bigint
}

/**
 * Reads all tables in one read-only transaction with one snapshot; works on a hot standby.
 * @throws {Failure} `rows-unreadable` when the server cannot read a file of theirs: missing, cut off, or damaged.
 */
export async function compareWithLedger(
  session: Session,
  tables: readonly LedgerTable[],
  ledger: Ledger,
  moment: Moment,
): Promise<Comparison> {
  const found = await readTables(session, tables)
  const { commits, rows } = ledger.at(moment)
  const names = new Set(tables.map(({ table }) => table))
  const stray = ledger.commits.flatMap(commit => commit.inserted).find(({ table }) => !names.has(table))
  if (stray) throw new RangeError(`the ledger has rows of ${stray.table}, which the comparison does not read`)

  const comparison: Comparison = {
    moment: describeMoment(moment),
    missing: [],
    unexpected: [],
    altered: [],
    halfPresent: [],
    promisedCommits: commits.must.length,
    intactCommits: 0,
    undecidedCommits: commits.may.length,
    promisedRows: rows.must.reduce((sum, { group }) => sum + group.rows, 0),
    presentRows: [...found.values()].reduce((sum, one) => sum + one.rows, 0),
    discarded: discardedOf(ledger, commits, found),
  }
  for (const expected of [...rows.must, ...rows.mustNot]) judge(expected, found, comparison)
  for (const unit of groupByUnit(rows.may)) judgeUndecided(unit, found, comparison)

  const known = new Set(Object.values(rows).flatMap(some => some.map(({ group }) => placeOf(group))))
  for (const [place, { rows: foundRows }] of found) {
    if (known.has(place)) continue
    const [table = '', key = ''] = JSON.parse(place) as string[]
    comparison.unexpected.push({ table, key, expectedRows: 0, foundRows })
  }
  const spoilt = new Set([...comparison.missing, ...comparison.altered].map(({ commit }) => commit))
  comparison.intactCommits = commits.must.filter(({ key }) => !spoilt.has(key)).length
  return comparison
}

/** The proof that did not hold, or nothing when all is as promised. */
export function comparisonFailure(comparison: Comparison): Failure | undefined {
  const { missing, unexpected, altered, halfPresent, moment } = comparison
  const findings = [
    { kind: 'rows-missing', differences: missing, what: `promised at ${moment} missing` },
    { kind: 'rows-unexpected', differences: unexpected, what: `there that must not be at ${moment}` },
    { kind: 'rows-altered', differences: altered, what: 'altered' },
    { kind: 'commit-half-present', differences: halfPresent, what: 'of commits that are there by half' },
  ].filter(({ differences }) => differences.length > 0)
  const [first] = findings
  if (!first) return undefined
  const { discarded, ...counts } = comparison
  return new Failure(
    first.kind,
    findings.map(({ differences, what }) => `${inWords(differences)} ${what}: ${firstOf(differences)}`).join('; '),
    {
      ...counts,
      ...Object.fromEntries(findings.map(({ kind, differences }) => [kind, differences.slice(0, SHOWN)])),
      missing: missing.length,
      unexpected: unexpected.length,
      altered: altered.length,
      halfPresent: halfPresent.length,
      discardedCommits: discarded.length,
    },
  )
}

/** A commit that is undecided is there when any of its rows is. */
function discardedOf(ledger: Ledger, { mustNot, may }: LedgerAt['commits'], found: Map<string, Found>): LedgerCommit[] {
  const absent = new Set(mustNot)
  for (const commit of may) if (!commit.inserted.some(group => found.has(placeOf(group)))) absent.add(commit)
  return ledger.commits.filter(commit => commit.after && absent.has(commit))
}

const SHOWN = 5

function inWords(differences: Difference[]): string {
  const rows = differences.reduce(
    (sum, { expectedRows, foundRows }) => sum + (Math.abs(expectedRows - foundRows) || expectedRows),
    0,
  )
  return rows === 1 ? '1 row' : `${rows} rows`
}

function firstOf(differences: Difference[]): string {
  const shown = differences
    .slice(0, SHOWN)
    .map(({ table, key, expectedRows, foundRows }) => `${table} ${key} (${foundRows} of ${expectedRows})`)
  return shown.join(', ') + (differences.length > SHOWN ? `, and ${differences.length - SHOWN} more keys` : '')
}

function describeMoment(moment: Moment): string {
  if ('lsn' in moment)
    return moment.inclusive
      ? `LSN ${moment.lsn} inclusive, stopped after ${moment.stoppedAfter}`
      : `LSN ${moment.lsn} exclusive`
  if ('time' in moment) return `time ${moment.time}`
  if ('xid' in moment) return `xid ${moment.xid} ${moment.inclusive ? 'inclusive' : 'exclusive'}`
  return `the end of an archive up to ${moment.latest.archivedUpTo}`
}

function judge({ commit, group, outcome }: ExpectedRows, found: Map<string, Found>, comparison: Comparison): void {
  const { rows, checksum } = found.get(placeOf(group)) ?? { rows: 0, checksum: 0n }
  const expectedRows = outcome === 'must' ? group.rows : 0
  const difference = { table: group.table, key: group.key, commit: commit.key, expectedRows, foundRows: rows }
  if (rows < expectedRows) comparison.missing.push(difference)
  else if (rows > expectedRows) comparison.unexpected.push(difference)
  else if (rows > 0 && checksum !== group.checksum) comparison.altered.push(difference)
}

/** Rows that are there together or not at all: judged as promised when one of them is there. */
function judgeUndecided(unit: ExpectedRows[], found: Map<string, Found>, comparison: Comparison): void {
  const here = unit.filter(({ group }) => found.has(placeOf(group)))
  if (here.length === 0) return
  const unitComparison = { ...comparison, missing: comparison.halfPresent }
  for (const expected of unit) judge({ ...expected, outcome: 'must' }, found, unitComparison)
}

function groupByUnit(rows: ExpectedRows[]): ExpectedRows[][] {
  const units = new Map<string, ExpectedRows[]>()
  for (const expected of rows) units.set(expected.unit, [...(units.get(expected.unit) ?? []), expected])
  return [...units.values()]
}

function placeOf({ table, key }: Pick<RowGroup, 'table' | 'key'>): string {
  return JSON.stringify([table, key])
}

async function readTables(session: Session, tables: readonly LedgerTable[]): Promise<Map<string, Found>> {
  const sql = tables
    .map(
      ({ table, key, columns, from }) =>
        `SELECT '${table}' AS "table", coalesce(${key}, '') AS key, count(*) AS rows, ${checksumSql(columns)} AS checksum FROM ${from} GROUP BY 2`,
    )
    .join(' UNION ALL ')
  // Compiling such a statement takes longer than running it.
  await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL jit = off')
  try {
    const rows = await session.query(sql)
    return new Map(
      rows.map(row => [
        placeOf({ table: row.table ?? '', key: row.key ?? '' }),
        { rows: Number(row.rows), checksum: BigInt(row.checksum ?? 0) },
      ]),
    )
  } catch (cause) {
    throw unreadable(cause) ?? cause
  } finally {
    await session.query('ROLLBACK')
  }
}

/** @see PostgreSQL documentation, "PostgreSQL Error Codes": data_corrupted, index_corrupted, undefined_file, io_error */
function unreadable(cause: unknown): Failure | undefined {
  const { code = '', message = '' } = cause as { code?: string; message?: string }
  return ['XX001', 'XX002', '58P01', '58030'].includes(code)
    ? new Failure('rows-unreadable', `the rows cannot be read: ${message}`, { code }, { cause })
    : undefined
}
