import path from 'node:path'
import type { InlineConfig } from 'vitest/node'
import { allureListener } from './allure.ts'

/**
 * What a run of drills reports through, in this order: ours writes the evidence that Allure's takes its verdicts from.
 * @param scratch of a shard alone: a folder for what is not yet free of secrets.
 */
export function reportersOf(outputDirectory: string, scratch?: string): NonNullable<InlineConfig['reporters']> {
  return [
    path.join(import.meta.dirname, 'reporter.ts'),
    // Matchers as steps would show the values that are compared.
    [
      path.join(import.meta.dirname, 'allure-reporter.ts'),
      { resultsDir: path.join(outputDirectory, 'allure-results'), reportMatchers: false, listeners: [allureListener] },
    ],
    ...(scratch === undefined ? [] : [blobReporter(scratch)]),
  ]
}

function blobReporter(scratch: string): [string, Record<string, unknown>] {
  return [path.join(import.meta.dirname, 'shards/blob-reporter.ts'), { scratch }]
}
