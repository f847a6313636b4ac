import type { Lsn } from '../postgres/lsn.ts'

/** A look at a recovering server. Before the first consistent point there is a title alone, from hot standby on all else. */
export interface RecoverySample {
  /** As `performance.now()`, in milliseconds. */
  atMs: number
  /** What the startup process says it is doing with its segment: waiting for restore_command to bring it, or replaying it. */
  activity?: 'waiting' | 'recovering'
  /** The segment that is waited for or replayed. */
  segment?: string
  /** The end of the last record that was replayed. */
  replayLsn?: Lsn
  /** @see PostgreSQL documentation, `pg_get_wal_replay_pause_state` */
  pauseState?: string
  /** It runs a command, which while it restores is restore_command. Said while it takes no query: then `waitEvent` says it. */
  isInCommand?: boolean
  /** What the startup process waits for, such as `RestoreCommand`; none while it works. */
  waitEvent?: string
}

/**
 * What the title of a startup process tells, with or without `cluster_name` in it; nothing where it is another process's.
 * @see PostgreSQL source, `XLogFileRead` in `xlogrecovery.c` and `RestoreArchivedFile` in `xlogarchive.c`
 */
export function readStartupTitle(title: string): Pick<RecoverySample, 'activity' | 'segment'> | undefined {
  const match = /^postgres: (?:.*: )?startup(?:\s+(recovering|waiting for) (\S+))?\s*$/.exec(title)
  if (!match) return undefined
  const [, doing, file = ''] = match
  // It waits for a timeline's history file too.
  if (doing === undefined || !/^[0-9A-F]{24}$/.test(file)) return {}
  return { activity: doing === 'recovering' ? 'recovering' : 'waiting', segment: file }
}

/**
 * Whether a restored server, which archives nothing, runs a command: among the titles of its processes and theirs is one that is
 * not PostgreSQL's. A process that was started a moment ago still has the title of the postmaster.
 */
export function isCommandAmong(titles: readonly string[]): boolean {
  return titles.some(title => title !== '' && !/^(?:\S*\/)?postgres(?::| |$)/.test(title))
}

/** More than a plot is wide, and little to keep. */
const SAMPLES_MAX = 1_000

/**
 * Samples of a recovery, however long it takes: when there are too many, every second one is dropped, and from then on they
 * are to be taken half as often. The first and the newest are always kept.
 */
export class RecoverySamples {
  #samples: RecoverySample[] = []
  #everyMs: number

  /** @param everyMs how often samples are to be taken at first, in milliseconds. */
  constructor(
    everyMs: number,
    private readonly max = SAMPLES_MAX,
  ) {
    this.#everyMs = everyMs
  }

  /** How long to wait until the next one, in milliseconds. */
  get everyMs(): number {
    return this.#everyMs
  }

  get all(): readonly RecoverySample[] {
    return this.#samples
  }

  add(sample: RecoverySample): void {
    if (this.#samples.length >= this.max) {
      this.#samples = this.#samples.filter((_, index) => index % 2 === 0)
      this.#everyMs *= 2
    }
    this.#samples.push(sample)
  }
}
