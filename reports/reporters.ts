import path from 'node:path'
import type { InlineConfig } from 'vitest/node'
import { allureListener } from './allure.ts'

/** What a run of drills reports through, in this order: ours writes the evidence that Allure's takes its verdicts from. */
export function reportersOf(outputDirectory: string): NonNullable<InlineConfig['reporters']> {
  return [
    path.join(import.meta.dirname, 'reporter.ts'),
    // Matchers as steps would show the values that are compared.
    [
      path.join(import.meta.dirname, 'allure-reporter.ts'),
      { resultsDir: path.join(outputDirectory, 'allure-results'), reportMatchers: false, listeners: [allureListener] },
    ],
  ]
}
