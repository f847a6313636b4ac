import { statSync } from 'node:fs'
import path from 'node:path'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { historyEntryOf, withHistory } from '../history/history.ts'
import { sealBundle } from '../integrity/seal.ts'
import type { Report } from '../report.ts'
import { writeWhole } from '../run-folder.ts'
import { makeReport } from './make-report.ts'
import { readEvidence } from './read-evidence.ts'
import { reportFiles } from './report-files.ts'
import type { BundleSettings } from './settings.ts'

export interface CompletedBundle {
  report: Report
  /** SHA-256 of its SHA256SUMS, as hex: what the next run names, and what may be published elsewhere. */
  digest: string
}

/**
 * Makes a run's folder, with its evidence in it, a whole and sealed bundle: names the run before it, writes every report, seals
 * it, and adds it to the history. Evidence that still says `running` is of a run that was cut off, and is made to say so.
 * Synchronous, since it may be the last that a process does.
 * @throws {CannotRun} when the evidence cannot be read, or something cannot be written.
 */
export function completeBundle(directory: string, settings: BundleSettings): CompletedBundle {
  const ended = asEnded(readEvidence(directory), directory)
  if (!isInHistory(ended)) return seal(directory, makeReport(ended, [], settings), settings)
  return withHistory(settings.historyFolder, (earlier, append) => {
    const known = earlier.find(({ runId }) => runId === ended.run.id)
    // Killed behind its last word, or completed by another run a moment ago.
    if (known) return { report: makeReport(ended, earlier, settings), digest: known.digest }
    const last = earlier.at(-1)
    const previous = last ? { runId: last.runId, digest: last.digest } : null
    const evidence = { ...ended, run: { ...ended.run, previous } }
    const completed = seal(directory, makeReport(evidence, earlier, settings), settings)
    append(historyEntryOf(evidence, completed.digest))
    return completed
  })
}

/** Of runs that follow one another: one with a sabotage is no drill, and a shard is a part of the run that it is merged into. */
export function isInHistory({ run }: Evidence): boolean {
  return run.kind !== 'sabotage' && run.shard === undefined
}

/** Whoever was to write the end of it is gone. */
function asEnded(evidence: Evidence, directory: string): Evidence {
  if (evidence.run.state !== 'running') return evidence
  const { run, drills } = evidence
  const lastSign = statSync(path.join(directory, 'evidence.json')).mtime.toISOString()
  return {
    ...evidence,
    run: {
      ...run,
      state: 'interrupted',
      verdict: drills.some(({ verdict }) => verdict === 'failed') ? 'failed' : 'unknown',
      endedAt: lastSign,
      problems: [
        ...run.problems,
        {
          kind: 'cut-off',
          message: 'the process of the run ended before the run did: what it had not begun by then, nobody knows',
        },
      ],
    },
  }
}

function seal(directory: string, report: Report, { key }: BundleSettings): CompletedBundle {
  writeWhole(path.join(directory, 'evidence.json'), `${JSON.stringify(report.evidence, null, 2)}\n`)
  for (const [name, text] of reportFiles(report)) writeWhole(path.join(directory, name), text)
  return { report, digest: sealBundle(directory, key).digest }
}
