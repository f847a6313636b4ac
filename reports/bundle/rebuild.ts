import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { CannotRun } from '../../helpers/failure.ts'
import { readHistory } from '../history/history.ts'
import { writeWhole } from '../run-folder.ts'
import { isInHistory } from './complete.ts'
import { makeReport } from './make-report.ts'
import { readEvidence } from './read-evidence.ts'
import { reportFiles } from './report-files.ts'
import type { BundleSettings } from './settings.ts'

export interface RebuiltBundle {
  /** Where they are. */
  folder: string
  /** Names of the reports that are not, byte for byte, what the bundle has. */
  different: readonly string[]
}

/**
 * Builds every report of a bundle anew from its `evidence.json`, into `folder`, which is replaced. The bundle is left as it is: to
 * change what is sealed would break its seal, and the chain behind it.
 * @throws {CannotRun} when there is no evidence that can be read, or `folder` is there and was not made by this.
 */
export function rebuildReports(bundle: string, folder: string, settings: BundleSettings): RebuiltBundle {
  const evidence = readEvidence(bundle)
  if (existsSync(folder) && !existsSync(path.join(folder, MARK)))
    throw new CannotRun(`${folder} is there, and holds no rebuilt reports: move it away`)
  const history = isInHistory(evidence) ? readHistory(settings.historyFolder) : []
  const report = makeReport(evidence, history, settings)
  rmSync(folder, { recursive: true, force: true })
  writeWhole(
    path.join(folder, MARK),
    'Reports built anew from evidence.json. Not the evidence itself: that is the sealed bundle.\n',
  )
  // What the reports lead to.
  for (const name of ['evidence.json', 'drills'])
    if (existsSync(path.join(bundle, name)))
      cpSync(path.join(bundle, name), path.join(folder, name), { recursive: true })
  const files = [...reportFiles(report)]
  for (const [name, text] of files) writeWhole(path.join(folder, name), text)
  return { folder, different: files.filter(([name, text]) => textIn(bundle, name) !== text).map(([name]) => name) }
}

const MARK = 'REBUILT.txt'

function textIn(bundle: string, name: string): string | undefined {
  const file = path.join(bundle, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
