import type { ArchiveAudit, Gap, Placement } from '../archive/audit.ts'
import type { SegmentRange } from '../archive/segment-range.ts'
import type { Passage, WalClock } from '../archive/wal-clock.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { historyFile } from '../postgres/timeline-history.ts'
import type { WalDamage } from '../postgres/wal-damage.ts'
import type { Finding } from './signal.ts'

type Harm = Exclude<Placement, 'before-backup'>

export interface MissingArchiveSegment extends Finding {
  name: 'missing-archive-segment'
  placement: Harm
  /** The missing and the damaged ones, in ascending order. */
  ranges: readonly SegmentRange[]
  /** Those of them that are there, and damaged. */
  damaged: readonly SegmentRange[]
  /** How the first segment of each of those is; the others of a range are in the same way. */
  damages: readonly WalDamage[]
  /** History files that are missing or damaged. */
  histories: readonly string[]
  /** How far one can come back, from this backup; undefined when not at all. */
  recoverableTo: Lsn | undefined
  /** When the server was there, as far as it was looked at: the time to that LSN. */
  passage: Passage
}

export interface MissingArchiveSegmentReport {
  /** One for each thing that is blocked, the worst first. */
  findings: readonly MissingArchiveSegment[]
  /** Gaps that the backup does not need: no finding, but stated. */
  harmless: readonly { range: SegmentRange; sentence: string }[]
  /** What else is odd about the archive: no finding by itself, and often why there is one. */
  oddities: readonly string[]
}

interface Observation {
  at: string
  audit: ArchiveAudit
  /** Of the server whose archive it is. Without it a limit has an LSN and no time. */
  clock?: Pick<WalClock, 'passageOf'>
}

/** What "Missing archive segments beyond recovery target window" finds in one observation of the archive. */
export function detectMissingArchiveSegment(observation: Observation): MissingArchiveSegmentReport {
  const { audit } = observation
  const placed = (placement: Placement) => audit.gaps.filter(gap => gap.placement === placement)
  const harms: Harm[] = ['before-consistency', 'blocks-target', 'beyond-target']
  const findings = harms.flatMap(placement => {
    const gaps = placed(placement)
    return gaps.length > 0 ? [findingOf(placement, gaps, observation)] : []
  })
  return {
    findings: audit.lostHistories.length > 0 ? [...findings, findingOfHistories(observation)] : findings,
    harmless: placed('before-backup').map(gap => ({
      range: gap.range,
      sentence: `${describeGap(gap)}, before the base backup, which does not need it`,
    })),
    oddities: audit.oddities,
  }
}

function findingOf(placement: Harm, gaps: readonly Gap[], { at, audit, clock }: Observation): MissingArchiveSegment {
  const blocks = blocked(placement, audit)
  const passage = (audit.recoverableTo && clock?.passageOf(audit.recoverableTo, audit.timeline)) ?? {}
  return {
    name: 'missing-archive-segment',
    blocks,
    placement,
    ranges: gaps.map(gap => gap.range),
    damaged: gaps.filter(gap => gap.status === 'damaged').map(gap => gap.range),
    damages: gaps.flatMap(gap => gap.damage ?? []),
    histories: [],
    recoverableTo: audit.recoverableTo,
    passage,
    sentence: `at ${at}, ${gaps.map(describeGap).join(', ')}: this blocks ${blocks}, and ${describeLimit(audit, passage)}`,
  }
}

/** `latest` asks for one history after the other: the first that it does not get ends its way, with whatever comes after. */
function findingOfHistories({ at, audit }: Observation): MissingArchiveSegment {
  const { lostHistories, recoverableTo, timeline } = audit
  const blocks = `recovery beyond timeline ${timeline}`
  const named = lostHistories.map(
    ({ timeline, status }) => `${status === 'lost' ? 'missing' : 'damaged'} ${historyFile(timeline)}`,
  )
  const limit = recoverableTo
    ? `one can come back to ${recoverableTo} of timeline ${timeline} at the most`
    : NO_WAY_BACK
  return {
    name: 'missing-archive-segment',
    blocks,
    placement: 'blocks-target',
    ranges: [],
    damaged: [],
    damages: [],
    histories: lostHistories.map(({ timeline }) => historyFile(timeline)),
    recoverableTo,
    passage: {},
    sentence: `at ${at}, ${named.join(', ')}: this blocks ${blocks}, and ${limit}`,
  }
}

const NO_WAY_BACK = 'one cannot come back from this backup at all'

function describeLimit({ recoverableTo }: ArchiveAudit, { after, before }: Passage): string {
  if (!recoverableTo) return NO_WAY_BACK
  const times = [
    ...(after === undefined ? [] : [`every commit acknowledged until ${after}`]),
    ...(before === undefined ? [] : [`none sent after ${before}`]),
  ]
  return `one can come back to ${recoverableTo} at the most${times.length > 0 ? `: to ${times.join(', and to ')}` : ''}`
}

function blocked(placement: Harm, { target }: ArchiveAudit): string {
  const wanted = target === 'latest' ? 'the end of the archive' : `the target ${target}`
  if (placement === 'before-consistency') return 'any consistent point of the backup'
  return placement === 'blocks-target' ? `recovery to ${wanted}` : `recovery beyond ${wanted}`
}

function describeGap({ range, status, damage }: Gap): string {
  if (status === 'lost') return `missing ${range}`
  if (!damage) return `damaged ${range}`
  const where = damage.lsn.equals(range.first.start) ? '' : `at ${damage.lsn} `
  return `damaged ${range} (${range.count > 1 ? 'of the first, ' : ''}${where}${damage.what})`
}
