// npm run drill:merge -- FOLDER…: makes one run of the folders that its shards left, as if it had never been divided.
// Exit status: 0 all passed; 1 a drill failed or is unknown; 2 could not merge.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Vitest } from 'vitest/node'
import { loadConfig } from '../../helpers/config.ts'
import { secretsOf } from '../../helpers/environment.ts'
import { byId, declaredDrill } from '../../helpers/evidence/declared-drills.ts'
import type { Evidence, Verdict } from '../../helpers/evidence/evidence.ts'
import { announced, announceProblem, announceRun } from '../../helpers/evidence/run-facts.ts'
import { readSuite } from '../../helpers/evidence/suite.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { newRunId } from '../../helpers/run/run.ts'
import { loadBundleSettings } from '../../reports/bundle/settings.ts'
import { readHistory } from '../../reports/history/history.ts'
import { verifyingKeyOf } from '../../reports/integrity/keys.ts'
import { reportersOf } from '../../reports/reporters.ts'
import { selectedBy } from '../../reports/selection.ts'
import { localBlob } from '../../reports/shards/blob.ts'
import {
  disagreements,
  factsOfMerged,
  missingOf,
  missingProblem,
  problemsOfShard,
  refuseMerged,
} from '../../reports/shards/merged-run.ts'
import { fallingTo } from '../../reports/shards/shard.ts'
import { asOneRun, nameOf, readShardRun, type ShardRun, sealedOf } from '../../reports/shards/shard-run.ts'
import { RunBundle } from './run-bundle.ts'
import { createVitestIn } from './vitest-of-a-run.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

type Shards = [ShardRun, ...ShardRun[]]

await exitWith(async () => {
  const folders = foldersIn(process.argv.slice(2))
  const config = loadConfig()
  const settings = loadBundleSettings(config)
  const key = settings.key && verifyingKeyOf(settings.key)
  const shards = asOneRun(folders.map(folder => readShardRun(folder, key)))
  const sealed = sealedOf(shards)
  refuseOtherSuite(sealed[0].evidence)
  refuseMerged(sealed, readHistory(settings.historyFolder))
  const id = newRunId()
  const directory = path.join(ROOT, 'reports/out', id)
  const bundle = new RunBundle(directory, settings)
  const scratch = mkdtempSync(path.join(tmpdir(), 'merge-'))
  try {
    const { evidence, plan } = sealed[0]
    const vitest = await createVitestIn(ROOT, scratch, {
      project: ['drills'],
      reporters: reportersOf(directory),
      tagsFilter: [evidence.run.kind, ...plan.tags],
    })
    try {
      refuseOtherVitest(vitest, sealed)
      const shares = await sharesOf(vitest, sealed)
      announceRun(factsOfMerged(sealed, { id, directory, secrets: secretsOf(config), require: [...config.require] }))
      bundle.begin()
      const missing = missingOf(shards).map(shard => missingProblem(shard, shares.get(shard.index) ?? []))
      for (const problem of [...missing, ...shards.flatMap(problemsOfShard)]) announceProblem(problem)
      copyDrillFolders(sealed, directory)
      await merge(vitest, sealed, path.join(scratch, 'blobs'))
      for (const problem of disagreements(sealed, shares, verdictsIn(directory))) announceProblem(problem)
    } finally {
      await vitest.close()
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    for (const line of await bundle.complete()) console.log(line)
  }
  return announced().outcome?.exitStatus ?? 1
})

function foldersIn(argv: string[]): string[] {
  try {
    return parseArgs({ args: argv, allowPositionals: true, options: {} }).positionals
  } catch (cause) {
    throw new CannotRun('npm run drill:merge takes the folders that the shards left, and nothing else', { cause })
  }
}

/** Verdicts, titles and the runbook's steps are read by the code and the runbook of this checkout. */
function refuseOtherSuite({ suite }: Evidence): void {
  const here = readSuite(ROOT)
  const commitOf = ({ commit }: Evidence['suite']) => commit.replace('-dirty', '')
  if (commitOf(here) !== commitOf(suite) || here.runbookSha256 !== suite.runbookSha256)
    throw new CannotRun(
      `the shards are of the suite's commit ${suite.commit}, and this checkout is ${here.commit}, or has another runbook: merge them by the checkout that they ran from`,
    )
}

/** The ids of the drills that fell to each shard, by its index, as the sources say: also of one that nobody has. */
async function sharesOf(vitest: Vitest, [{ plan, shard }]: Shards): Promise<ReadonlyMap<number, readonly string[]>> {
  const selected = await selectedBy(vitest, await vitest.globTestSpecifications(plan.paths))
  const shares = new Map<number, readonly string[]>()
  for (let index = 1; index <= shard.count; index++) {
    const files = await fallingTo({ index, count: shard.count }, vitest, selected)
    shares.set(index, files.flatMap(({ moduleId }) => declaredDrill(moduleId).id ?? []).sort(byId.compare))
  }
  return shares
}

/** Before anything is announced: a run that has begun ends with a record. */
function refuseOtherVitest({ version }: Vitest, shards: Shards): void {
  const other = shards.find(({ blob }) => blob !== undefined && blob.vitest !== version)
  if (other)
    throw new CannotRun(
      `${nameOf(other)} was run by vitest ${other.blob?.vitest}, and here is ${version}: install by npm ci, here as there`,
    )
}

async function merge(vitest: Vitest, shards: Shards, folder: string): Promise<void> {
  mkdirSync(folder)
  const blobs = shards.flatMap(({ blob, shard }) => (blob === undefined ? [] : [{ text: blob.text, shard }]))
  if (blobs.length === 0) {
    // The end of a run of nothing, which vitest merges only from blobs.
    await vitest.standalone()
    await vitest.runTestSpecifications([])
    return
  }
  for (const { text, shard } of blobs) writeFileSync(path.join(folder, `${shard.index}.json`), localBlob(text, ROOT))
  await vitest.mergeReports(folder)
}

function copyDrillFolders(shards: Shards, directory: string): void {
  for (const { folder } of shards) {
    const drills = path.join(folder, 'drills')
    if (existsSync(drills)) cpSync(drills, path.join(directory, 'drills'), { recursive: true })
  }
}

function verdictsIn(directory: string): ReadonlyMap<string, Verdict> {
  const { drills } = JSON.parse(readFileSync(path.join(directory, 'evidence.json'), 'utf8')) as Evidence
  return new Map(drills.map(({ id, verdict }) => [id, verdict]))
}
