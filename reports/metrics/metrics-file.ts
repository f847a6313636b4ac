import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { writeWhole } from '../run-folder.ts'
import { drillFamilies, isTold, type ToldRun, toldRunSchema } from './drill-metrics.ts'
import { openMetricsText } from './open-metrics.ts'

/** What no run has said for so long is no longer told. No rule looks back further than two days. */
const TOLD_FOR_DAYS = 7

/**
 * Tells what the runs whose folders are in `out` come to, in `out/metrics/pg_recovery_drills.prom`; called when `ended`, one
 * of them, has its record there. A run that says nothing about recovery leaves the file as it is.
 * @returns the records of other runs that could not be read, and so are not told.
 * @throws {CannotRun} when the file cannot be written.
 */
export function writeMetrics(out: string, ended: Evidence): string[] {
  if (!isTold(ended)) return []
  const sinceMs = Date.now() - TOLD_FOR_DAYS * 24 * 3600 * 1000
  let records = recordsIn(out, sinceMs)
  // Another run may end at this moment. Whichever writes last then looks once more, and sees the other's record: nothing of
  // either is lost, without a lock that a killed run would leave behind.
  for (;;) {
    const { runs, unreadable } = readRuns(records)
    writeWhole(path.join(out, 'metrics', 'pg_recovery_drills.prom'), openMetricsText(drillFamilies(runs)))
    const told = records
    records = recordsIn(out, sinceMs)
    if (JSON.stringify(records) === JSON.stringify(told)) return unreadable
  }
}

/** A record is replaced as a whole, which gives it another time. */
interface RunRecord {
  file: string
  writtenAtMs: number
}

function recordsIn(out: string, sinceMs: number): RunRecord[] {
  return readdirSync(out, { withFileTypes: true })
    .filter(folder => folder.isDirectory()) // `latest` is a link to one of them
    .flatMap(({ name }) => {
      const file = path.join(out, name, 'evidence.json')
      const writtenAtMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
      return writtenAtMs < sinceMs ? [] : [{ file, writtenAtMs }]
    })
    .sort((a, b) => (a.file < b.file ? -1 : 1))
}

function readRuns(records: readonly RunRecord[]): { runs: ToldRun[]; unreadable: string[] } {
  const read = records.map(({ file }) => ({ file, run: readRun(file) }))
  return {
    runs: read.flatMap(({ run }) => (run && isTold(run) ? [run] : [])),
    unreadable: read.flatMap(({ file, run }) => (run ? [] : [file])),
  }
}

function readRun(file: string): ToldRun | undefined {
  try {
    return toldRunSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}
