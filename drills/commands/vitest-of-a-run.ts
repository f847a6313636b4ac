import path from 'node:path'
import type { CliOptions, Vitest } from 'vitest/node'

/**
 * Vitest with the configuration of the checkout at `root`, not yet started.
 * @param temporary where it puts files while it runs, which it chooses now: when it is killed they would stay elsewhere.
 */
export async function createVitestIn(root: string, temporary: string, options: CliOptions): Promise<Vitest> {
  // Not before: it takes longer to load than all else together.
  const { createVitest } = await import('vitest/node')
  const { TMPDIR } = process.env
  process.env.TMPDIR = temporary
  try {
    return await createVitest('test', {
      root,
      config: path.join(root, 'vitest.config.ts'),
      watch: false,
      configLoader: 'native',
      ...options,
    })
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  }
}
