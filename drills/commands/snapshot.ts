// npm run snapshot [-- --out FOLDER --json]: what the runbook's §2 captures before a maintenance window, of the live server.
// Exit status: 0 written; 2 could not.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { ArchiveListing } from '../../helpers/archive/listing.ts'
import { loadTogether, readVariables } from '../../helpers/environment.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { loadLiveConfig } from '../../helpers/live/live-config.ts'
import { openLive } from '../../helpers/live/live-server.ts'
import { type ListedArchive, takeLiveSnapshot } from '../../helpers/readiness/live-snapshot.ts'
import { loadSnapshotConfig } from '../../helpers/readiness/snapshot-config.ts'
import { describeSnapshot, summarizeSnapshot } from '../../helpers/readiness/snapshot-description.ts'
import { writeSnapshotFile } from '../../helpers/readiness/snapshot-file.ts'
import { EmbeddedVolume } from '../../helpers/runtime/embedded-volume.ts'
import { exitWith } from './exit-with.ts'

const OUT = path.resolve(import.meta.dirname, '../../reports/out/snapshots')

await exitWith(async () => {
  const { out, json } = parseArguments()
  const [live, config, archive] = loadTogether(loadLiveConfig, loadSnapshotConfig, findArchive)
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

function findArchive(): ListedArchive | { notListed: string } {
  const name = 'PREFLIGHT_ARCHIVE'
  const folder = readVariables(one => one === name).values[name]
  if (folder === undefined) return { notListed: `${name} is not set` }
  const where = path.resolve(folder)
  const volume = new EmbeddedVolume('archive', where, undefined)
  return { where, list: async size => ArchiveListing.of(await volume.entries(''), size) }
}
