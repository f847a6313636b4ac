import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { execa } from 'execa'
import type { Evidence } from '../../helpers/evidence/evidence.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { readEvidence } from '../bundle/read-evidence.ts'
import { withoutTracker } from './strip-tracker.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/**
 * Allure's HTML of a run, as one page that needs nothing else. The bundle is only read: what is sealed must not change.
 * @throws {CannotRun} when the bundle has no results, or Allure does not make a page of them.
 */
export async function allureHtml(bundle: string): Promise<{ runId: string; html: string }> {
  const evidence = evidenceIn(bundle)
  const scratch = mkdtempSync(path.join(tmpdir(), 'allure-'))
  try {
    cpSync(path.join(bundle, 'allure-results'), path.join(scratch, 'allure-results'), { recursive: true })
    writeJson(path.join(scratch, 'allure-results', 'rto-perf.json'), rtoSamples(evidence))
    writeJson(path.join(scratch, 'allurerc.json'), allureConfig(evidence))
    await execa('allure', ['generate', 'allure-results', '--config', 'allurerc.json'], {
      cwd: scratch,
      preferLocal: true,
      localDir: ROOT,
      all: true,
    }).catch((cause: { all?: string; message: string }) => {
      throw new CannotRun(`Allure made no page of ${bundle}: ${(cause.all ?? cause.message).trim()}`, { cause })
    })
    return { runId: evidence.run.id, html: withoutTracker(readFileSync(path.join(scratch, 'out/index.html'), 'utf8')) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function evidenceIn(bundle: string): Evidence {
  const results = path.join(bundle, 'allure-results')
  if (!existsSync(results) || readdirSync(results).length === 0)
    throw new CannotRun(
      `there are no results for Allure in ${bundle}: name the folder of a run that has executed a drill`,
    )
  return readEvidence(bundle)
}

function allureConfig({ run, runtime, drills }: Evidence): unknown {
  const metrics = drills
    .filter(({ rto }) => rto)
    .map(({ id, title }) => [`rto.${id}`, { title: `${id}: ${title}`, unit: 's', better: 'lower', group: 'rto' }])
  return {
    name: `Recovery drills ${run.id}: ${run.verdict}, PostgreSQL ${runtime.serverVersion}, ${runtime.name}`,
    output: './out',
    plugins: { awesome: { options: { singleFile: true, reportLanguage: 'en' } } },
    performance: {
      groups: { rto: { title: 'RTO, from the incident until the application is healthy, at the size of the drill' } },
      metrics: Object.fromEntries(metrics),
    },
  }
}

/** What Allure calls performance results; their times are milliseconds since 1970. */
function rtoSamples({ drills }: Evidence): unknown[] {
  return drills.flatMap(({ id, rto, startedAt, durationSeconds }) => {
    const start = Date.parse(startedAt)
    return rto
      ? [{ id: `rto-${id}`, key: `rto.${id}`, value: rto.seconds, start, stop: start + durationSeconds * 1000 }]
      : []
  })
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, JSON.stringify(value))
}
