import type { TestSpecification, Vitest } from 'vitest/node'
import { declaredDrill } from '../helpers/evidence/declared-drills.ts'

/** Of vitest's own: it alone knows what an expression over tags means. */
interface RunnerUtils {
  createTagsFilter(expressions: string[], defined: Vitest['config']['tags']): (tags: string[]) => boolean
}

/**
 * Those whose tags the run's selection asks for: vitest itself leaves out tests, not files, and only once it has loaded them.
 * A file whose tags cannot be read is taken for one of them, so that none is silently missing.
 */
export async function selectedBy<Specification extends Pick<TestSpecification, 'moduleId'>>(
  vitest: Vitest,
  specifications: readonly Specification[],
): Promise<readonly Specification[]> {
  const { tagsFilter, tags: defined } = vitest.config
  if (!tagsFilter?.length || specifications.length === 0) return specifications
  // By vitest's own way of loading: the package is its dependency, not ours.
  const { createTagsFilter } = await vitest.import<RunnerUtils>('@vitest/runner/utils')
  const isWanted = createTagsFilter(tagsFilter, defined)
  return specifications.filter(({ moduleId }) => {
    const { tags } = declaredDrill(moduleId)
    return tags.length === 0 || isWanted(tags)
  })
}
