// npm run drill, npm run drill:nightly [-- PATH… --tags EXPRESSION]
// Exit status: 0 all passed; 1 a drill failed or is unknown; 2 could not run.
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createVitest, type Vitest } from 'vitest/node'
import { type Config, describeConfig, loadConfig } from '../../helpers/config.ts'
import { describeMachine } from '../../helpers/evidence/machine.ts'
import { announced, announceProblem, announceRun, type RunFacts } from '../../helpers/evidence/run-facts.ts'
import { readSuite } from '../../helpers/evidence/suite.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { newRunId, Run } from '../../helpers/run/run.ts'
import { sweepDeadRuns } from '../../helpers/run/sweep.ts'
import { type OpenedRuntime, openRuntime } from '../../helpers/runtime/open.ts'
import { reportersOf } from '../../reports/reporters.ts'
import { endOnSignal } from './end-on-signal.ts'
import { exitWith } from './exit-with.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

interface Selection {
  paths: string[]
  tags: string[]
  project: string
}

await exitWith(async () => {
  const startedAt = new Date().toISOString()
  const selection = select(process.argv.slice(2))
  const config = loadConfig()
  for (const { runId, ...ended } of await sweepDeadRuns())
    console.log(`Swept what the run ${runId} left behind: ${JSON.stringify(ended)}`)
  const run = Run.open(newRunId())
  const output = path.join(ROOT, 'reports/out', run.context.id)
  // Both take half a second, in processes of their own: together.
  const [runtime, vitest] = await Promise.allSettled([openRuntime(config, run.context), prepare(selection, output)])
  try {
    if (vitest.status === 'rejected') throw vitest.reason
    if (runtime.status === 'rejected') throw runtime.reason
    announceRun(factsOf({ run, startedAt, output, config, runtime: runtime.value }))
    endOnSignal(vitest.value)
    vitest.value.provide('run', run.context)
    vitest.value.provide('runtime', runtime.value)
    await vitest.value.start(selection.paths)
  } finally {
    if (vitest.status === 'fulfilled') await vitest.value.close()
    await closeRun(run)
  }
  return announced().outcome?.exitStatus ?? 1
})

function select(argv: string[]): Selection {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      allowPositionals: true,
      options: { core: { type: 'boolean' }, tags: { type: 'string', multiple: true }, sabotage: { type: 'string' } },
    })
    return {
      paths: positionals,
      tags: [...(values.core ? ['core'] : []), ...(values.tags ?? [])],
      project: values.sabotage === undefined ? 'drills' : `sabotage:${values.sabotage}`,
    }
  } catch (cause) {
    throw new CannotRun(
      `${(cause as Error).message.split('. To specify')[0]}: give paths of drills and --tags EXPRESSION, nothing else`,
      { cause },
    )
  }
}

async function prepare({ tags, project }: Selection, output: string): Promise<Vitest> {
  return await createVitest('test', {
    root: ROOT,
    config: path.join(ROOT, 'vitest.config.ts'),
    watch: false,
    project,
    reporters: reportersOf(output),
    ...(tags.length > 0 ? { tagsFilter: tags } : {}),
  })
}

function factsOf({
  run,
  startedAt,
  output,
  config,
  runtime,
}: {
  run: Run
  startedAt: string
  output: string
  config: Config
  runtime: OpenedRuntime
}): RunFacts {
  const { name, reason, serverVersion, capabilities } = runtime
  return {
    id: run.context.id,
    directory: output,
    startedAt,
    suite: readSuite(ROOT),
    runtime: {
      name,
      reason,
      serverVersion,
      capabilities,
      ...(runtime.name === 'docker' ? { image: runtime.image } : {}),
    },
    machine: describeMachine(),
    config: describeConfig(config),
    require: [...config.require],
    secrets: [run.context.password],
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
