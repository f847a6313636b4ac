import type { TestCase, TestModule, TestSuite } from 'vitest/node'
import type { JournalRecord } from '../helpers/evidence/journal.ts'
import type { DrillRecord } from './build-evidence.ts'
import type { SerializedError } from './problem.ts'

/** What the fixtures leave on a test. Any of it may be missing. */
interface DrillMeta {
  id?: string
  runbook?: string
  journal?: JournalRecord
  /** Left by the run's reporter, for whoever merges its shard. */
  cancelled?: boolean
}

/** A test case as plain data. `cancelled`: its result came when the run was being cancelled already. */
export function drillRecordOf(test: TestCase, cancelled: boolean): DrillRecord {
  const result = test.result()
  const diagnostic = test.diagnostic()
  const meta = test.meta() as DrillMeta
  if (cancelled) meta.cancelled = true
  const { id, runbook, journal } = meta
  return {
    title: test.name,
    file: test.module.relativeModuleId,
    tags: test.tags,
    ...(id !== undefined && { id }),
    ...(runbook !== undefined && { runbook }),
    ...(journal !== undefined && { journal }),
    ...sabotageOf(test),
    state: result.state,
    ...(result.state === 'skipped' && result.note !== undefined && { note: result.note }),
    errors: asErrors(result.errors ?? []),
    cancelled: meta.cancelled ?? false,
    passDoubted: test.options.fails === true || diagnostic?.flaky === true,
    ...(diagnostic && { startedAt: new Date(diagnostic.startTime).toISOString() }),
    durationSeconds: (diagnostic?.duration ?? 0) / 1000,
  }
}

/** From the project that it runs in: a drill whose worker dies leaves no journal, and is still evidence of nothing else. */
function sabotageOf({ project }: TestCase): Pick<DrillRecord, 'sabotage'> {
  const [, sabotage] = /^sabotage:(.+)/.exec(project.name) ?? []
  return sabotage === undefined ? {} : { sabotage }
}

/** The drill's id as far as it is known, for the front of a line. */
export function drillIdOf(test: TestCase): string {
  const { id, journal } = test.meta() as DrillMeta
  return journal?.id ?? id ?? '?'
}

/**
 * Whether the user's selection left a test out. Vitest marks such a test like one that says `test.skip`, so the two are
 * told apart by whether there was a selection at all, and what was left out is listed by name.
 */
export function isLeftOut(test: TestCase): boolean {
  const { tagsFilter, testNamePattern } = test.project.vitest.config
  const result = test.result()
  const isStatic = test.options.mode === 'skip' && test.diagnostic() === undefined
  return isStatic && result.state === 'skipped' && !result.note && Boolean(tagsFilter?.length || testNamePattern)
}

/** Errors of a file that belong to none of its drills: it could not be loaded, or a hook of it failed. */
export function errorsOutsideDrills(module: TestModule): SerializedError[] {
  const suites: (TestModule | TestSuite)[] = [module, ...module.children.allSuites()]
  return asErrors(suites.flatMap(suite => suite.errors()))
}

/**
 * What vitest calls serialized errors: plain objects with all the fields that an error had, which their type does not
 * say; or, of the process that vitest itself runs in, errors as they are, whose fields a mere copy would lose.
 */
export function asErrors(errors: readonly object[]): SerializedError[] {
  return errors.map(error => {
    const keys = ['name', ...Object.getOwnPropertyNames(error)]
    return Object.fromEntries(keys.map(key => [key, Reflect.get(error, key)]))
  })
}
