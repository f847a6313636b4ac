// npm run drill, npm run drill:nightly, npm run drill:soak, npm run drill:restore [-- PATH… --tags EXPRESSION --shard I/N]
// Exit status: 0 all passed; 1 a drill failed or is unknown; 2 could not run.
import childProcess, { type ForkOptions } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { InlineConfig, TestSpecification, Vitest } from 'vitest/node'
import { sabotages } from '../../fixtures/sabotage/sabotages.ts'
import { type Config, describeConfig, loadConfig, requiredBy } from '../../helpers/config.ts'
import { secretsOf } from '../../helpers/environment.ts'
import { declaredDrill } from '../../helpers/evidence/declared-drills.ts'
import { describeMachine } from '../../helpers/evidence/machine.ts'
import { announced, announceProblem, announceRun, type RunFacts } from '../../helpers/evidence/run-facts.ts'
import { startedBy } from '../../helpers/evidence/started-by.ts'
import { readSuite } from '../../helpers/evidence/suite.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { describeRestoreConfig, loadRestoreConfig, type RestoreConfig } from '../../helpers/live/restore-config.ts'
import { RUN_ID_VARIABLE, type RunContext } from '../../helpers/run/registry.ts'
import { newRunId, Run } from '../../helpers/run/run.ts'
import { sweepDeadRuns } from '../../helpers/run/sweep.ts'
import type { Load } from '../../helpers/runtime/embedded-place.ts'
import { type OpenedRuntime, openRuntime } from '../../helpers/runtime/open.ts'
import { loadBundleSettings } from '../../reports/bundle/settings.ts'
import { reportersOf } from '../../reports/reporters.ts'
import { selectedBy } from '../../reports/selection.ts'
import { fallingTo, type Shard, shardOf, shardText, writeShardPlan } from '../../reports/shards/shard.ts'
import { Interruption } from './end-on-signal.ts'
import { completeCutOffRuns, RunBundle } from './run-bundle.ts'
import { createVitestIn } from './vitest-of-a-run.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const OUT = path.join(ROOT, 'reports/out')

interface Selection {
  paths: string[]
  /** What the script is for; none with a sabotage, which says itself which drill it is for. */
  kind?: 'core' | 'nightly' | 'soak' | 'live'
  /** The user's own. */
  tags: string[]
  projects: string[]
  /** The part of the selected drills that is run here. */
  shard?: Shard
}

await exitWith(async () => {
  const startedAt = new Date().toISOString()
  const selection = select(process.argv.slice(2))
  const config = loadConfig()
  const restore = selection.kind === 'live' ? loadRestoreConfig(config) : undefined
  const required = requiredBy(config)
  const settings = loadBundleSettings(config)
  const run = Run.open(newRunId())
  const interruption = new Interruption(run)
  for (const { runId, ...ended } of await sweepDeadRuns())
    console.log(`Swept what the run ${runId} left behind: ${JSON.stringify(ended)}`)
  for (const line of await completeCutOffRuns(OUT, settings)) console.log(line)
  const output = path.join(OUT, run.context.id)
  const bundle = new RunBundle(output, settings)
  // Both take half a second, in processes of their own: together.
  const [runtime, vitest] = await Promise.allSettled([
    restore ? openRuntimeFor(restore, config, run.context) : openRuntime(config, loadOf(selection), run.context),
    prepare(selection, required.drills, {
      run: run.context,
      reporters: [reportersOf(output, selection.shard && run.context.directory), interruption].flat(),
    }),
  ])
  try {
    if (vitest.status === 'rejected') throw vitest.reason
    if (runtime.status === 'rejected') throw runtime.reason
    refuseLacking(runtime.value, required.capabilities)
    interruption.govern(vitest.value)
    const { files, leftOut, elsewhere } = await selectFiles(vitest.value, selection)
    const facts = announceRun(
      // Of the drills that make their own data nobody asked here.
      factsOf({
        run,
        selection,
        startedAt,
        output,
        config,
        restore,
        runtime: runtime.value,
        leftOut: restore ? [] : leftOut,
        elsewhere,
      }),
    )
    if (selection.shard) writeShardPlan(output, { ...selection, require: [...config.require], leftOut })
    bundle.begin()
    vitest.value.provide('run', run.context)
    vitest.value.provide('runtime', runtime.value)
    vitest.value.provide('bundle', { directory: output, secrets: facts.secrets })
    await (files ? vitest.value.start(files) : runNothing(vitest.value))
  } finally {
    if (vitest.status === 'fulfilled') await vitest.value.close()
    await closeRun(run)
    for (const line of await bundle.complete()) console.log(line)
  }
  return announced().outcome?.exitStatus ?? 1
})

function select(argv: string[]): Selection {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        core: { type: 'boolean' },
        soak: { type: 'boolean' },
        restore: { type: 'boolean' },
        tags: { type: 'string', multiple: true },
        sabotage: { type: 'string', multiple: true },
        shard: { type: 'string' },
      },
    })
    const unknown = values.sabotage?.find(name => name !== '*' && !sabotages.some(sabotage => sabotage.name === name))
    if (unknown !== undefined) throw new Error(`There is no sabotage '${unknown}'`)
    if (values.shard !== undefined && values.sabotage)
      throw new Error('--shard: drills with a sabotage are no part of a run that is spread over machines')
    return {
      paths: positionals,
      ...(values.shard === undefined ? {} : { shard: shardOf(values.shard) }),
      ...(values.sabotage ? {} : { kind: kindOf(values) }),
      tags: values.tags ?? [],
      projects: values.sabotage?.map(name => `sabotage:${name}`) ?? ['drills'],
    }
  } catch (cause) {
    throw new CannotRun(
      `${(cause as Error).message.split('. To specify')[0]}: give paths of drills, --tags EXPRESSION and --shard I/N, nothing else`,
      { cause },
    )
  }
}

function kindOf(script: { core?: boolean; soak?: boolean; restore?: boolean }): NonNullable<Selection['kind']> {
  if (script.restore) return 'live'
  return script.core ? 'core' : script.soak ? 'soak' : 'nightly'
}

/** Of drills that make their own data. */
function loadOf({ kind }: Selection): Load {
  return kind === 'core' || kind === 'soak' ? kind : 'nightly'
}

/**
 * The runtime for a backup of the user's, which has a major of its own.
 * @throws {CannotRun} for a backup that cannot be restored, or not by what is set.
 */
async function openRuntimeFor(restore: RestoreConfig, config: Config, run: RunContext): Promise<OpenedRuntime> {
  // Not before: no other drill needs what it loads.
  const { openRestore } = await import('../../helpers/live/restore-request.ts')
  const scratch = mkdtempSync(path.join(run.directory, 'opening-'))
  const { backup } = await openRestore(restore, scratch)
    .catch((cause: Error) => {
      // Damaged so that nobody could say what it is: there is nothing to drill.
      throw cause.name === 'Failure' ? new CannotRun(cause.message, { cause }) : cause
    })
    // The drill opens it anew: what a repository was unpacked to would take its room twice.
    .finally(() => rmSync(scratch, { recursive: true, force: true }))
  const { serverMajor: major, where, sizeBytes } = backup
  const { DRILL_PG_MAJOR: wanted, DRILL_IMAGE: image = `postgres:${major}` } = config.variables
  if (wanted !== undefined && Number(wanted) !== major)
    throw new CannotRun(
      `DRILL_PG_MAJOR is ${wanted}, and the backup ${where} is of PostgreSQL ${major}, which alone can start it: take DRILL_PG_MAJOR out`,
    )
  const runtime = await openRuntime({ ...config, pgMajor: major, image }, { restoredBytes: sizeBytes }, run)
  if (runtime.major !== major)
    throw new CannotRun(
      `the image ${image} has PostgreSQL ${runtime.major}, and the backup ${where} is of ${major}, which alone can start it: set DRILL_IMAGE to an image of that major`,
    )
  return runtime
}

/** @throws {CannotRun} when nothing can be meant by the selection. */
async function prepare(
  selection: Selection,
  requiredDrills: readonly string[],
  { run, reporters }: { run: RunContext; reporters: NonNullable<InlineConfig['reporters']> },
): Promise<Vitest> {
  const { kind, tags, projects } = selection
  const tagsFilter = [...(kind ? [kind] : []), ...tags]
  detachForks()
  const vitest = await createVitestIn(ROOT, run.directory, {
    project: projects,
    reporters,
    // On its workers too, from the first moment.
    env: { [RUN_ID_VARIABLE]: run.id },
    ...(tagsFilter.length > 0 ? { tagsFilter } : {}),
  })
  try {
    // One after the other: vitest takes several for one selection, and leaves out what matches nothing.
    for (const one of selection.paths) {
      if ((await vitest.globTestSpecifications([one])).length === 0)
        throw new CannotRun(`there is no drill whose path holds ${one}: see the folders of drills/ for those there are`)
    }
    // Of no file: vitest reads the tags, which it otherwise does in its workers.
    await vitest.experimental_parseSpecifications([]).catch(({ message }: Error) => {
      const [problem = ''] = message.split(/ Available|\n/)
      const tags = vitest.config.tags.map(({ name }) => name).join(', ')
      throw new CannotRun(`--tags ${selection.tags.join(', ')}: ${problem.replace(/\.$/, '')}; there are ${tags}`)
    })
    await refuseLeftOut(vitest, selection, requiredDrills)
    return vitest
  } catch (error) {
    await vitest.close()
    throw error
  }
}

/** @throws {CannotRun} when a drill that is required would be missing at the end, as far as that can be known without running it. */
async function refuseLeftOut(vitest: Vitest, { paths }: Selection, required: readonly string[]): Promise<void> {
  // Files are read only where a drill is required.
  if (required.length === 0) return
  const selected = await selectedBy(vitest, await vitest.globTestSpecifications(paths))
  const ids = selected.map(({ moduleId }) => declaredDrill(moduleId).id)
  const left = required.filter(id => !ids.includes(id))
  if (left.length > 0)
    throw new CannotRun(
      `DRILL_REQUIRE names ${left.join(', ')}, left out of this run by its command, paths or tags: select them, or take them out of DRILL_REQUIRE`,
    )
}

/** @throws {CannotRun} when the runtime cannot do what is required. */
function refuseLacking({ name, capabilities }: OpenedRuntime, required: readonly string[]): void {
  const lacking = required.filter(one => !capabilities.some(capability => capability === one))
  if (lacking.length > 0)
    throw new CannotRun(
      `DRILL_REQUIRE names ${lacking.join(', ')}, which the ${name} runtime does not have: set DRILL_RUNTIME to one that has it, or take it out of DRILL_REQUIRE`,
    )
}

interface SelectedFiles {
  /** None where nothing falls to this shard. */
  files?: string[]
  /** Ids of drills that the selection leaves out. */
  leftOut: string[]
  /** Ids of drills that are selected, and fall to other shards. */
  elsewhere: string[]
}

/**
 * The files with a drill in them that is selected: to load another takes a worker and half a second, only to leave it out.
 * @returns the paths where nothing is selected, which vitest is to say.
 */
async function selectFiles(vitest: Vitest, { paths, shard }: Selection): Promise<SelectedFiles> {
  const all = await vitest.globTestSpecifications(paths)
  const selected = await selectedBy(vitest, all)
  if (selected.length === 0) return { files: paths, leftOut: [], elsewhere: [] }
  const here = shard ? await fallingTo(shard, vitest, selected) : selected
  const idsWithout = (whole: readonly TestSpecification[], part: readonly TestSpecification[]) =>
    whole.filter(one => !part.includes(one)).flatMap(({ moduleId }) => declaredDrill(moduleId).id ?? [])
  const files = here.length === all.length ? paths : here.map(({ moduleId }) => path.relative(ROOT, moduleId))
  return {
    ...(here.length > 0 && { files }),
    leftOut: idsWithout(all, selected),
    elsewhere: idsWithout(selected, here),
  }
}

/** Where no drill falls to a shard, its run ends like any other, with a record of nothing: to vitest's own start that is a mistake. */
async function runNothing(vitest: Vitest): Promise<void> {
  console.log('no drill falls to this shard')
  await vitest.standalone()
  await vitest.runTestSpecifications([])
}

/**
 * A terminal sends Ctrl-C to every process of its group: a worker that dies of it while it loads leaves vitest waiting for
 * a minute. Workers are in groups of their own, like the servers; vitest has no setting for it.
 */
function detachForks(): void {
  const { fork } = childProcess
  Object.assign(childProcess, {
    fork: (file: string, args: string[], options: ForkOptions) => fork(file, args, { ...options, detached: true }),
  })
  syncBuiltinESMExports()
}

function factsOf({
  run,
  selection,
  startedAt,
  output,
  config,
  restore,
  runtime,
  leftOut,
  elsewhere,
}: {
  run: Run
  selection: Selection
  startedAt: string
  output: string
  config: Config
  restore: RestoreConfig | undefined
  runtime: OpenedRuntime
  leftOut: string[]
  elsewhere: string[]
}): RunFacts {
  const { name, reason, serverVersion, capabilities } = runtime
  const { paths, tags, shard } = selection
  return {
    id: run.context.id,
    directory: output,
    startedAt,
    kind: selection.kind ?? 'sabotage',
    selection: [...paths, ...tags, ...(shard ? [shardText(shard)] : [])],
    ...(shard && { shard }),
    startedBy: startedBy(ROOT),
    suite: readSuite(ROOT),
    runtime: {
      name,
      reason: 'note' in runtime && runtime.note !== undefined ? `${reason}; ${runtime.note}` : reason,
      serverVersion,
      capabilities,
      ...(runtime.name === 'docker'
        ? { image: runtime.image, imageDigest: runtime.imageDigest }
        : { programs: runtime.programs }),
    },
    machine: describeMachine(),
    config: { ...describeConfig(config), ...(restore ? describeRestoreConfig(restore) : {}) },
    // Whether the others were exercised is judged when the shards are merged.
    require: config.require.filter(name => !elsewhere.includes(name)),
    leftOut,
    secrets: [run.context.password, ...secretsOf(config), ...(restore ? secretsOf(restore) : [])],
  }
}

async function closeRun(run: Run): Promise<void> {
  const { runId, ...left } = await run.close()
  if (Object.values(left).some(count => count > 0)) {
    announceProblem({
      kind: 'left-behind',
      message: `the run ${runId} left something behind, which is a defect of the suite`,
      evidence: left,
    })
  }
}
