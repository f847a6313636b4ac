import type { Lsn } from '../postgres/lsn.ts'
import { readCommit, type WalCommit } from '../postgres/wal-commit.ts'
import { WalDamage } from '../postgres/wal-damage.ts'
import { WalReader } from '../postgres/wal-reader.ts'
import type { StoredSegment } from './stored-segments.ts'

export interface FoundCommit {
  /** Undefined where none is in what was read. */
  commit: WalCommit | undefined
  /** What stood in the way of reading on. */
  damages: readonly WalDamage[]
  segmentsRead: number
}

interface Search {
  /** Of the cluster that the segments should be of, in decimal. */
  systemIdentifier: string
  /** More of them are not read: a load without a commit may fill any number. */
  atMost: number
}

/**
 * The last commit that recovery along `way` would bring back. Of one that begins in one segment and ends in the next nothing is
 * seen, so it may be the one before that.
 * @param way what recovery reads, in ascending order and without a gap.
 * @throws what reading a segment throws.
 */
export async function findLastCommit(way: readonly StoredSegment[], search: Search): Promise<FoundCommit> {
  return await find([...way].reverse(), search, commits => commits.at(-1))
}

/** The first commit whose record does not begin before `from`. @param way as of `findLastCommit`. */
export async function findFirstCommit(way: readonly StoredSegment[], from: Lsn, search: Search): Promise<FoundCommit> {
  return await find(
    way.filter(({ segment }) => from.isBefore(segment.end)),
    search,
    commits => commits.find(({ lsn }) => from.isAtOrBefore(lsn)),
  )
}

async function find(
  segments: readonly StoredSegment[],
  { systemIdentifier, atMost }: Search,
  choose: (commits: readonly WalCommit[]) => WalCommit | undefined,
): Promise<FoundCommit> {
  const damages: WalDamage[] = []
  let segmentsRead = 0
  for (const stored of segments.slice(0, atMost)) {
    const { commits, damage } = await commitsIn(stored, systemIdentifier)
    segmentsRead++
    if (damage) damages.push(damage)
    const commit = choose(commits)
    if (commit) return { commit, damages, segmentsRead }
  }
  return { commit: undefined, damages, segmentsRead }
}

/** Those before the first damage, in order. */
async function commitsIn(
  stored: StoredSegment,
  systemIdentifier: string,
): Promise<{ commits: WalCommit[]; damage?: WalDamage }> {
  const { segment } = stored
  const bytes = await stored.read(Buffer.allocUnsafe(segment.sizeBytes))
  const commits: WalCommit[] = []
  if (!Buffer.isBuffer(bytes)) return bytes === 'gone' ? { commits } : { commits, damage: bytes }
  try {
    new WalReader({ systemIdentifier }).read({ segment, bytes }, (record, data) => {
      const commit = readCommit(record, data)
      if (commit) commits.push(commit)
    })
    return { commits }
  } catch (damage) {
    if (!(damage instanceof WalDamage)) throw damage
    return { commits, damage }
  }
}
