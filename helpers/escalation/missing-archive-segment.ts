import type { ArchiveAudit, Gap, Placement } from '../archive/audit.ts'
import type { SegmentRange } from '../archive/segment-range.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { Finding } from './signal.ts'

type Harm = Exclude<Placement, 'before-backup'>

export interface MissingArchiveSegment extends Finding {
  name: 'missing-archive-segment'
  placement: Harm
  /** The missing and the damaged ones, in ascending order. */
  ranges: readonly SegmentRange[]
  /** How far one can come back, from this backup; undefined when not at all. */
  recoverableTo: Lsn | undefined
}

export interface MissingArchiveSegmentReport {
  /** One for each thing that is blocked, the worst first. */
  findings: readonly MissingArchiveSegment[]
  /** Gaps that the backup does not need, in a sentence each: no finding, but stated. */
  harmless: readonly string[]
}

/** What "Missing archive segments beyond recovery target window" finds in one observation of the archive. */
export function detectMissingArchiveSegment({
  at,
  audit,
}: {
  at: string
  audit: ArchiveAudit
}): MissingArchiveSegmentReport {
  const placed = (placement: Placement) => audit.gaps.filter(gap => gap.placement === placement)
  const harms: Harm[] = ['before-consistency', 'blocks-target', 'beyond-target']
  return {
    findings: harms.flatMap(placement => {
      const gaps = placed(placement)
      return gaps.length > 0 ? [findingOf(placement, gaps, at, audit)] : []
    }),
    harmless: placed('before-backup').map(gap => `${describeGap(gap)}, before the base backup, which does not need it`),
  }
}

function findingOf(placement: Harm, gaps: readonly Gap[], at: string, audit: ArchiveAudit): MissingArchiveSegment {
  const blocks = blocked(placement, audit)
  const limit = audit.recoverableTo
    ? `one can come back to ${audit.recoverableTo} at the most`
    : 'one cannot come back from this backup at all'
  return {
    name: 'missing-archive-segment',
    blocks,
    placement,
    ranges: gaps.map(gap => gap.range),
    recoverableTo: audit.recoverableTo,
    sentence: `at ${at}, ${gaps.map(describeGap).join(', ')}: this blocks ${blocks}, and ${limit}`,
  }
}

function blocked(placement: Harm, { target }: ArchiveAudit): string {
  const wanted = target === 'latest' ? 'the end of the archive' : `the target ${target}`
  if (placement === 'before-consistency') return 'any consistent point of the backup'
  return placement === 'blocks-target' ? `recovery to ${wanted}` : `recovery beyond ${wanted}`
}

function describeGap({ range, status }: Gap): string {
  return `${status === 'lost' ? 'missing' : 'of a wrong size'} ${range}`
}
