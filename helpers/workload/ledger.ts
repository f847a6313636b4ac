import type { Lsn } from '../postgres/lsn.ts'
import { serverTimeMicroseconds } from './server-time.ts'

/** Rows that a commit inserted into one table, found again by a key of their own; told apart no further than that. */
export interface RowGroup {
  table: string
  key: string
  rows: number
  /** Sum of the rows' checksums. @see rowChecksum */
  checksum: bigint
}

/**
 * A commit that deleted every row its statement saw. It must see each other commit wholly or not at all: one statement, or
 * several under a lock that keeps writers out.
 */
export interface Deletion {
  tables: readonly string[]
  /** Insert LSN read before the statement started. Some WAL of this very transaction must have been written just before. */
  statementFrom: Lsn
}

/** A commit about to be sent. */
export interface Intent {
  /** Unique in its ledger. */
  key: string
  /** Who committed: a writer, the API, the worker, the operator. */
  actor: string
  /** As PostgreSQL prints it; where it is known only afterwards, `acknowledge` brings it. */
  xid?: string
  /** `pg_current_wal_insert_lsn()`, read immediately before COMMIT was sent. */
  before: Lsn
  /** `clock_timestamp()` of that moment, as text. */
  atBefore: string
  inserted: readonly RowGroup[]
  deleted?: Deletion
}

export interface LedgerCommit extends Readonly<Intent> {
  /** Insert LSN read once the commit was acknowledged; none as long as it is not. */
  readonly after?: Lsn
  /** `clock_timestamp()` of that moment, as text. */
  readonly at?: string
}

/**
 * Where a recovery came to its end.
 * - `lsn`, exclusive: before the first record that starts at or past it
 * - `lsn`, inclusive: the record that starts at or past it is replayed too; `stoppedAfter` is that record, from the log's
 *   "recovery stopping after WAL location (LSN)"
 * - `time`: as text with an offset; what was committed in its very microsecond may be there or not
 * - `xid`: before or after the commit of that transaction, which must be one of the ledger's
 * - `latest`: the end of an archive that holds all WAL up to `archivedUpTo`; it may hold more
 */
export type Moment =
  | { lsn: Lsn; inclusive: false }
  | { lsn: Lsn; inclusive: true; stoppedAfter: Lsn }
  | { time: string }
  | { xid: string; inclusive: boolean }
  | { latest: { archivedUpTo: Lsn } }

/** What the ledger can say of a commit or of its rows: there, not there, or either. */
export type Outcome = 'must' | 'mustNot' | 'may'

export interface ExpectedRows {
  commit: LedgerCommit
  group: RowGroup
  outcome: Outcome
  /** Rows with the same word here are there all together or not at all. */
  unit: string
}

export interface LedgerAt {
  commits: Record<Outcome, LedgerCommit[]>
  rows: Record<Outcome, ExpectedRows[]>
}

/** When a snapshot was taken: between two reads of the insert LSN. */
export interface SnapshotBounds {
  from: Lsn
  to: Lsn
  /** The snapshot itself saw no transaction in progress. */
  nothingInProgress?: boolean
}

/** By how many rows a table has grown: negative when it shrank. */
export interface CountBounds {
  lower: number
  upper: number
}

/**
 * What was promised: every commit of a workload, with the band of WAL and of time that its commit record lies in. The
 * record starts at or past `before`, and before `after`.
 */
export class Ledger {
  readonly #commits = new Map<string, LedgerCommit>()
  readonly #deletionKeys: string[] = []
  /** What is known of the commits that were taken over from the branch before; `must` of all others. */
  readonly #inherited = new Map<string, Outcome>()

  /** In the order in which they were sent. */
  get commits(): LedgerCommit[] {
    return [...this.#commits.values()]
  }

  get acknowledgedCount(): number {
    return this.commits.filter(commit => commit.after).length
  }

  /** To be called before COMMIT is sent: when the acknowledgement never comes, the commit may have happened. */
  sending(intent: Intent): void {
    if (this.#commits.has(intent.key)) throw new RangeError(`the ledger has a commit ${intent.key} already`)
    this.#commits.set(intent.key, intent)
    if (intent.deleted) this.#deletionKeys.push(intent.key)
  }

  /** @throws {RangeError} for a commit that was never sent, or whose `after` lies before its `before`. */
  acknowledge(key: string, acknowledgement: { after: Lsn; at: string; xid?: string }): LedgerCommit {
    const sent = this.#commits.get(key)
    if (!sent) throw new RangeError(`the ledger has no commit ${key}`)
    if (acknowledgement.after.isBefore(sent.before))
      throw new RangeError(`${key} was acknowledged at ${acknowledgement.after}, before it was sent at ${sent.before}`)
    const commit = { ...sent, ...acknowledgement }
    this.#commits.set(key, commit)
    return commit
  }

  /**
   * The ledger of a server that was recovered to that moment and serves on: it begins with what was promised or undecided
   * there, and takes the new timeline's commits. Timelines share neither LSNs nor xids past the point where they part: a
   * commit that was left behind is no part of it.
   */
  branch(moment: Moment): Ledger {
    const view = this.#view(moment)
    const branch = new Ledger()
    for (const commit of this.commits) {
      const outcome = view(commit)
      if (outcome === 'mustNot') continue
      branch.#commits.set(commit.key, commit)
      branch.#inherited.set(commit.key, outcome)
      if (commit.deleted) branch.#deletionKeys.push(commit.key)
    }
    return branch
  }

  /** @throws {RangeError} for a moment that cannot be placed. */
  at(moment: Moment): LedgerAt {
    const view = this.#view(moment)
    const result: LedgerAt = { commits: { must: [], mustNot: [], may: [] }, rows: { must: [], mustNot: [], may: [] } }
    for (const commit of this.commits) {
      result.commits[view(commit)].push(commit)
      for (const group of commit.inserted) {
        const outcome = this.#rowsOutcome(commit, group.table, view)
        const deletions = this.#deletionsOf(group.table).map(deletion => deletion.key)
        result.rows[outcome].push({ commit, group, outcome, unit: JSON.stringify([commit.key, ...deletions]) })
      }
    }
    return result
  }

  /** How many rows each table must have gained, at least and at most, between a snapshot and a later moment. */
  countsSince(snapshot: SnapshotBounds, moment: Moment): Map<string, CountBounds> {
    const then = (commit: LedgerCommit) => both(this.#inheritedOutcome(commit), seen(commit, snapshot))
    const now = this.#view(moment)
    const counts = new Map<string, CountBounds>()
    for (const commit of this.commits) {
      for (const { table, rows } of commit.inserted) {
        const count = counts.get(table) ?? { lower: 0, upper: 0 }
        const before = this.#rowsOutcome(commit, table, then)
        const after = this.#rowsOutcome(commit, table, now)
        count.lower += rows * (Number(after === 'must') - Number(before !== 'mustNot'))
        count.upper += rows * (Number(after !== 'mustNot') - Number(before === 'must'))
        counts.set(table, count)
      }
    }
    return counts
  }

  #deletionsOf(table: string): (LedgerCommit & { deleted: Deletion })[] {
    return this.#deletionKeys
      .map(key => this.#commits.get(key))
      .filter(
        (commit): commit is LedgerCommit & { deleted: Deletion } => commit?.deleted?.tables.includes(table) ?? false,
      )
  }

  /** Of a commit's rows in one table: there when the commit is and no deletion that saw it is. */
  #rowsOutcome(commit: LedgerCommit, table: string, view: (commit: LedgerCommit) => Outcome): Outcome {
    let outcome = view(commit)
    for (const deletion of this.#deletionsOf(table)) {
      if (deletion.key === commit.key) continue
      const deleted = both(view(deletion), seen(commit, { from: deletion.deleted.statementFrom, to: deletion.before }))
      outcome = both(outcome, not(deleted))
    }
    return outcome
  }

  #inheritedOutcome({ key }: LedgerCommit): Outcome {
    return this.#inherited.get(key) ?? 'must'
  }

  #view(moment: Moment): (commit: LedgerCommit) => Outcome {
    const view = this.#viewOfTimeline(moment)
    return commit => both(this.#inheritedOutcome(commit), view(commit))
  }

  #viewOfTimeline(moment: Moment): (commit: LedgerCommit) => Outcome {
    if ('lsn' in moment) {
      // The record that recovery stopped after is replayed; a commit record may start right there.
      const end = moment.inclusive ? moment.stoppedAfter : moment.lsn
      if (end.isBefore(moment.lsn))
        throw new RangeError(`recovery stopped after ${end}, which is before the target ${moment.lsn}`)
      return ({ before, after }) => {
        if (after?.isAtOrBefore(end)) return 'must'
        return end.isBefore(before) || (!moment.inclusive && end.equals(before)) ? 'mustNot' : 'may'
      }
    }
    if ('time' in moment) {
      const end = serverTimeMicroseconds(moment.time)
      return ({ atBefore, at }) => {
        if (at !== undefined && serverTimeMicroseconds(at) < end) return 'must'
        return serverTimeMicroseconds(atBefore) > end ? 'mustNot' : 'may'
      }
    }
    if ('xid' in moment) {
      // The newest: a transaction that was in flight where the timelines parted may have had the number before.
      const last = this.commits.findLast(commit => commit.xid === moment.xid)
      if (!last) throw new RangeError(`no commit of the ledger has the xid ${moment.xid}`)
      return commit => {
        if (commit.key === last.key) return moment.inclusive ? 'must' : 'mustNot'
        if (commit.after?.isAtOrBefore(last.before)) return 'must'
        return last.after?.isAtOrBefore(commit.before) ? 'mustNot' : 'may'
      }
    }
    return ({ after }) => (after?.isAtOrBefore(moment.latest.archivedUpTo) ? 'must' : 'may')
  }
}

/**
 * Whether a snapshot, taken between two reads of the insert LSN, saw a commit. `after` equal to `from` proves nothing: the
 * record can have been written and the transaction still be in progress, waiting for its flush, with no WAL in between.
 */
function seen({ before, after }: LedgerCommit, { from, to, nothingInProgress = false }: SnapshotBounds): Outcome {
  if (after?.isBefore(from) || (nothingInProgress && after?.equals(from))) return 'must'
  return to.isAtOrBefore(before) ? 'mustNot' : 'may'
}

function both(a: Outcome, b: Outcome): Outcome {
  if (a === 'mustNot' || b === 'mustNot') return 'mustNot'
  return a === 'must' && b === 'must' ? 'must' : 'may'
}

function not(outcome: Outcome): Outcome {
  return outcome === 'may' ? 'may' : outcome === 'must' ? 'mustNot' : 'must'
}
