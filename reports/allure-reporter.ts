import AllureVitestReporter from 'allure-vitest/reporter'
import type { TestModule } from 'vitest/node'
import { announceProblem } from '../helpers/evidence/run-facts.ts'

/** Allure's, which may find no room for its results: thrown from here, that would end the run with a stack. */
export default class AllureReporter extends AllureVitestReporter {
  override onTestRunEnd(modules: readonly TestModule[]): void {
    try {
      super.onTestRunEnd(modules)
    } catch (error) {
      announceProblem({
        kind: 'allure-not-written',
        message: `Allure's results cannot be written (${(error as Error).message}): make room for them, or let this user write there`,
      })
    }
  }
}
