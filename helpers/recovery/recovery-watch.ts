import { setTimeout as delay } from 'node:timers/promises'
import { deadlinesMs } from '../deadlines.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { Session } from '../postgres/session.ts'
import { WalSegment } from '../postgres/wal-segment.ts'
import type { PostgresNode } from '../runtime/postgres-node.ts'
import { courseOf, type RecoveryCourse } from './recovery-course.ts'
import { type RecoverySample, RecoverySamples, readStartupTitle } from './recovery-sample.ts'

/** Between two samples, at first. Seldom enough for recovery not to feel it, often enough to tell fetching from replaying. */
const SAMPLE_EVERY_MS = 50

const TAKES_QUERIES = /database system is ready to accept (?:read-only )?connections/

const LOOK = `SELECT pg_is_in_recovery() AS recovering, pg_last_wal_replay_lsn() AS "replayLsn",
  CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() END AS "pauseState",
  (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup') AS "waitEvent"`

/**
 * Follows a server from its start on a restored base until it is promoted, ends, or nobody wants to know any more: by its log;
 * before the first consistent point, when it takes no query, by the title of its startup process; then by what it answers.
 * Memory does not grow with the length of a recovery, the log's lines aside.
 */
export class RecoveryWatch {
  readonly #samples = new RecoverySamples(SAMPLE_EVERY_MS)
  readonly #stop = new AbortController()
  readonly #following: Promise<void>
  #readUpTo: number
  #takesQueries = false
  /** Of the newest segment that was seen by name. */
  #timeline: number | undefined
  #session: Session | undefined

  private constructor(
    private readonly node: PostgresNode,
    private readonly startedAtMs: number,
  ) {
    this.#readUpTo = node.startMark
    this.#following = this.#follow()
  }

  /** Starts the server and follows it. Whoever calls must `stop()`. */
  static async launch(node: PostgresNode): Promise<RecoveryWatch> {
    const startedAtMs = performance.now()
    await node.launchServer()
    return new RecoveryWatch(node, startedAtMs)
  }

  /** What has been seen so far. */
  get course(): RecoveryCourse {
    const { node, startedAtMs } = this
    return courseOf({ startedAtMs, lines: node.log.since(node.startMark), samples: this.#samples.all })
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
    } catch {
      // The server ended, or promoted in the middle of a look: its log says what became of it.
    } finally {
      await this.#session?.close().catch(() => undefined)
    }
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted || !this.node.isRunning
  }

  async #pause(): Promise<void> {
    await delay(this.#samples.everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined)
  }

  #add(sample: RecoverySample | undefined): void {
    if (sample) this.#samples.add(sample)
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
    return told && { atMs: performance.now(), ...told }
  }

  /** @returns nothing once the server is no longer in recovery. */
  async #look(session: Session, segmentSizeBytes: number): Promise<RecoverySample | undefined> {
    const { recovering, replayLsn, pauseState, waitEvent } = await session.one(LOOK)
    this.#readLog()
    if (recovering !== 't' || !replayLsn) return undefined
    const lsn = Lsn.parse(replayLsn)
    return {
      atMs: performance.now(),
      replayLsn: lsn,
      ...(this.#timeline ? { segment: WalSegment.endingAt(lsn, this.#timeline, segmentSizeBytes).name } : {}),
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
