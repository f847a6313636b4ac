import { tmpdir } from 'node:os'
import path from 'node:path'
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { sabotages } from './fixtures/sabotage/sabotages.ts'

/** Wanted or not, each project takes time to be made. */
const isSabotaged = process.argv.some(argument => argument.startsWith('--sabotage'))

/** One after the other: S1 predicts how long a recovery takes, on a machine that does the same all the while. */
const isSoak = process.argv.includes('--soak')

// Testcontainers' reaper is an image of its own, which an offline machine cannot have; this suite cleans up by itself.
process.env.TESTCONTAINERS_RYUK_DISABLED = 'true'

/** Until a worker has loaded the fixtures, which decide it with care, Ctrl-C must not end it: it may hold servers. */
const deaf = "data:text/javascript,for(const signal of ['SIGINT','SIGHUP'])process.on(signal,()=>{})"

const drills: TestProjectInlineConfiguration['test'] = {
  include: ['drills/**/*.spec.ts'],
  execArgv: ['--import', deaf],
}

/** Of the proofs, which run two at a time, those that take longest come first: the others pass beside them. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => path.basename(moduleId).startsWith('sabotage-')
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)))
  }
}

export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    maxWorkers: isSoak ? 1 : 2,
    // Each project compiles the same files: once is enough. The folder is the run's own, as all that is temporary here.
    experimental: { fsModuleCache: isSabotaged, fsModuleCachePath: path.join(tmpdir(), 'modules') },
    // Longer than any deadline, so that it is the deadline that speaks: it names what was waited for.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    tags: [
      { name: 'core', description: 'what `npm run drill` runs' },
      { name: 'nightly', description: 'what `npm run drill:nightly` runs' },
      { name: 'soak', description: 'what `npm run drill:soak` runs' },
      { name: 'live', description: 'what `npm run drill:restore` runs, on a backup of the user' },
      { name: 'readiness', description: "the runbook's sections 1 and 2" },
      { name: 'recovery', description: "the runbook's section 3" },
      { name: 'escalation', description: "the runbook's section 4" },
    ],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{helpers,fixtures,reports}/**/*.test.ts'],
          exclude: ['fixtures/proof/**', '**/*.browser.test.ts', '**/node_modules/**'],
        },
      },
      {
        extends: true,
        test: { name: 'proof', include: ['fixtures/proof/**/*.test.ts', 'reports/**/*.browser.test.ts'] },
      },
      { extends: true, test: { name: 'drills', ...drills } },
      // The same drills, each with one thing broken on purpose, which must turn it red.
      ...(isSabotaged ? sabotages : []).map(({ name, drill, environment }) => ({
        extends: true as const,
        test: {
          name: `sabotage:${name}`,
          ...drills,
          include: [drill],
          setupFiles: ['./fixtures/sabotage/apply.ts'],
          env: { ...environment, DRILL_SABOTAGE: name },
        },
      })),
    ],
  },
})
