import { setTimeout as delay } from 'node:timers/promises'
import { deadlinesMs } from '../deadlines.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { LogLine } from '../postgres/server-log.ts'
import type { Session } from '../postgres/session.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { courseOf, type RecoveryCourse, type RecoverySightings } from './recovery-course.ts'
import { isCommandAmong, type RecoverySample, RecoverySamples, readStartupTitle } from './recovery-sample.ts'

/** Between two samples, at first. Seldom enough for recovery not to feel it, often enough to tell fetching from replaying. */
const SAMPLE_EVERY_MS = 50

const TAKES_QUERIES = /database system is ready to accept (?:read-only )?connections/

const LOOK = `SELECT pg_is_in_recovery() AS recovering, pg_last_wal_replay_lsn() AS "replayLsn",
  CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS "pauseState",
  (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup') AS "waitEvent"`

/** Or between two attempts at it, in standby mode. */
const FETCHING = new Set(['RestoreCommand', 'RecoveryRetrieveRetryInterval'])

/**
 * Follows a server from its start on a restored base until it is promoted, ends, or nobody wants to know any more: by its log;
 * before the first consistent point, when it takes no query, by the title of its startup process; then by what it answers.
 * Memory does not grow with the length of a recovery, the log's lines aside.
 */
export class RecoveryWatch {
  readonly #samples = new RecoverySamples(SAMPLE_EVERY_MS)
  readonly #stop = new AbortController()
  readonly #following: Promise<void>
  readonly #startMark: number
  /** Where the log of this start ends, once it has. */
  #endMark: number | undefined
  #readUpTo: number
  #takesQueries = false
  /** Of the newest segment that was seen by name. */
  #timeline: number | undefined
  #session: Session | undefined
  /** Where replay was at the last look, if it waited for a file then. */
  #fetchingAt: Lsn | undefined

  private constructor(
    readonly node: PostgresNode,
    private readonly startedAtMs: number,
    private readonly onSample: (sample: RecoverySample) => void,
  ) {
    this.#startMark = node.startMark
    this.#readUpTo = node.startMark
    this.#following = this.#follow()
  }

  /** Starts the server and follows it. Whoever calls must `stop()`. @param onSample is told of each look. */
  static async launch(
    node: PostgresNode,
    onSample: (sample: RecoverySample) => void = () => undefined,
  ): Promise<RecoveryWatch> {
    const startedAtMs = performance.now()
    await node.launchServer()
    return new RecoveryWatch(node, startedAtMs, onSample)
  }

  /** What has been seen so far. */
  get course(): RecoveryCourse {
    return courseOf(this.sightings)
  }

  /** The same, as it was seen: of this start of the server alone, should it be started again. */
  get sightings(): RecoverySightings & { isRunning: boolean } {
    const isRunning = this.#isThisStart && this.node.isRunning
    return { startedAtMs: this.startedAtMs, lines: this.#lines(), samples: this.#samples.all, isRunning }
  }

  /**
   * Takes one last sample where the server still recovers, unless it does not answer. Works twice.
   * @returns all that was seen.
   */
  async stop(): Promise<RecoveryCourse> {
    this.#stop.abort()
    // Closed under a query, a session gives it up.
    const timer = setTimeout(() => this.#session?.close().catch(() => undefined), deadlinesMs.recoverySample)
    await this.#following
    clearTimeout(timer)
    return this.course
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#readLog()) {
        if (this.#isOver) return
        this.#add(await this.#readTitle())
        await this.#pause()
      }
      while (await this.#lookAgainAndAgain()) {
        // Replay may end a session that stands in its way: the server is asked anew.
        await this.#pause()
      }
    } catch {
      // The server ended in the middle of a look: its log says what became of it.
    } finally {
      this.#noteEnd()
    }
  }

  /** @returns whether there is more to be seen, after a session that was lost. */
  async #lookAgainAndAgain(): Promise<boolean> {
    try {
      this.#session = await this.node.session()
      const segmentSizeBytes = await readSegmentSize(this.#session)
      for (let goesOn = true; goesOn; ) {
        // Before the look: the last one is taken after somebody wanted to stop.
        goesOn = !this.#isOver
        const sample = await this.#look(this.#session, segmentSizeBytes)
        goesOn &&= sample !== undefined
        this.#add(sample)
        if (goesOn) await this.#pause()
      }
      return false
    } catch {
      return !this.#isOver
    } finally {
      await this.#session?.close().catch(() => undefined)
    }
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted || !this.node.isRunning || !this.#isThisStart
  }

  get #isThisStart(): boolean {
    return this.node.startMark === this.#startMark
  }

  #noteEnd(): void {
    const { log, startMark, isRunning } = this.node
    if (!this.#isThisStart) this.#endMark ??= startMark
    else if (!isRunning) this.#endMark ??= log.length
  }

  #lines(): readonly LogLine[] {
    this.#noteEnd()
    const lines = this.node.log.since(this.#startMark)
    return this.#endMark === undefined ? lines : lines.slice(0, this.#endMark - this.#startMark)
  }

  async #pause(): Promise<void> {
    await delay(this.#samples.everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #add(sample: RecoverySample | undefined): void {
    if (!sample) return
    this.#samples.add(sample)
    this.onSample(sample)
  }

  /** The lines that are new. @returns whether the server takes queries. */
  #readLog(): boolean {
    const lines = this.node.log.since(this.#readUpTo)
    this.#readUpTo += lines.length
    for (const { text } of lines) this.#noteTimeline(/restored log file "([0-9A-F]{24})"/.exec(text)?.[1])
    this.#takesQueries ||= lines.some(({ text }) => TAKES_QUERIES.test(text))
    return this.#takesQueries
  }

  async #readTitle(): Promise<RecoverySample | undefined> {
    const titles = await this.node.processTitles()
    const told = titles.map(readStartupTitle).find(one => one !== undefined)
    this.#noteTimeline(told?.segment)
    return told && { atMs: performance.now(), ...told, isInCommand: isCommandAmong(titles) }
  }

  /** @returns nothing once the server is no longer in recovery. */
  async #look(session: Session, segmentSizeBytes: number): Promise<RecoverySample | undefined> {
    const { recovering, replayLsn, pauseState, waitEvent } = await session.one(LOOK)
    this.#readLog()
    if (recovering !== 't' || !replayLsn) return undefined
    const lsn = Lsn.parse(replayLsn)
    const isFetching = FETCHING.has(waitEvent ?? '')
    // Asked only when it takes longer than from one look to the next: the title names what is fetched, no query does.
    const told = isFetching && this.#fetchingAt?.equals(lsn) ? await this.#readTitle() : undefined
    this.#fetchingAt = isFetching ? lsn : undefined
    return {
      atMs: performance.now(),
      replayLsn: lsn,
      ...(this.#timeline ? { segment: WalSegment.endingAt(lsn, this.#timeline, segmentSizeBytes).name } : {}),
      ...(told?.activity === 'waiting' ? { activity: told.activity, segment: told.segment } : {}),
      ...(pauseState ? { pauseState } : {}),
      ...(waitEvent ? { waitEvent } : {}),
    }
  }

  #noteTimeline(segment: string | undefined): void {
    if (segment !== undefined) this.#timeline = Number.parseInt(segment.slice(0, 8), 16)
  }
}

async function readSegmentSize(session: Session): Promise<number> {
  const { size } = await session.one("SELECT setting AS size FROM pg_settings WHERE name = 'wal_segment_size'")
  return Number(size)
}
