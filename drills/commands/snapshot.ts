// npm run snapshot [-- --out FOLDER --json]: what the runbook's §2 captures before a maintenance window, of the live server.
// Exit status: 0 written; 2 could not, or no table could be read.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { loadTogether } from '../../helpers/environment.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { type LiveConfig, loadLiveConfig } from '../../helpers/live/live-config.ts'
import { openLive } from '../../helpers/live/live-server.ts'
import { type ListedArchive, takeLiveSnapshot } from '../../helpers/readiness/live-snapshot.ts'
import { loadPreflightConfig, type PreflightConfig } from '../../helpers/readiness/preflight-config.ts'
import { NO_ARCHIVE } from '../../helpers/readiness/preflight-facts.ts'
import { loadSnapshotConfig } from '../../helpers/readiness/snapshot-config.ts'
import { describeSnapshot, summarizeSnapshot } from '../../helpers/readiness/snapshot-description.ts'
import { writeSnapshotFile } from '../../helpers/readiness/snapshot-file.ts'
import { openSurroundings } from '../../helpers/readiness/surroundings.ts'

const OUT = path.resolve(import.meta.dirname, '../../reports/out/snapshots')

await exitWith(async () => {
  const { out, json } = parseArguments()
  const [live, config, preflight] = loadTogether(loadLiveConfig, loadSnapshotConfig, loadPreflightConfig)
  const archive = await findArchive(live, preflight)
  const { snapshot, warnings } = await takeLiveSnapshot(await openLive(live), archive, config)
  const file = await writeSnapshotFile(out, snapshot)
  const lines = json
    ? [JSON.stringify({ file, ...summarizeSnapshot(snapshot), warnings })]
    : [...describeSnapshot(snapshot), ...warnings.map(warning => `warning: ${warning}`), `snapshot: ${file}`]
  for (const line of lines) console.log(line)
  return 0
})

function parseArguments(): { out: string; json: boolean } {
  try {
    const { values } = parseArgs({
      options: { out: { type: 'string', default: OUT }, json: { type: 'boolean', default: false } },
    })
    return { out: path.resolve(values.out), json: values.json }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CannotRun(`${reason}: the snapshot takes --out FOLDER and --json`)
  }
}

/** That which a preflight looks at. */
async function findArchive(
  live: LiveConfig,
  preflight: PreflightConfig,
): Promise<ListedArchive | { notListed: string }> {
  if (!preflight.archive) return { notListed: NO_ARCHIVE }
  const surroundings = await openSurroundings(live, preflight)
  return segmentSizeBytes => surroundings.archive(segmentSizeBytes)?.archive
}
