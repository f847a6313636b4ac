// npm run preflight [-- --samples N --probe --json]: could the live server be recovered now? Only looks.
// Exit status: 0 go; 1 no-go; 2 could not tell.
import { parseArgs } from 'node:util'
import { loadTogether, redact } from '../../helpers/environment.ts'
import type { PreflightReport } from '../../helpers/evidence/preflight-report.ts'
import { exitWith } from '../../helpers/exit-with.ts'
import { CannotRun } from '../../helpers/failure.ts'
import { type LiveConfig, loadLiveConfig } from '../../helpers/live/live-config.ts'
import { reportOf, unasked } from '../../helpers/readiness/preflight.ts'
import { loadPreflightConfig, type PreflightConfig } from '../../helpers/readiness/preflight-config.ts'
import { gatherFacts } from '../../helpers/readiness/preflight-facts.ts'
import { probe } from '../../helpers/readiness/probe.ts'
import { openSurroundings } from '../../helpers/readiness/surroundings.ts'
import { openMetricsText } from '../../reports/metrics/open-metrics.ts'
import { preflightFamilies } from '../../reports/metrics/preflight-metrics.ts'
import { preflightText } from '../../reports/preflight-text.ts'
import { writeWhole } from '../../reports/run-folder.ts'

const EXIT_STATUS: Readonly<Record<PreflightReport['verdict'], number>> = { go: 0, 'no-go': 1, 'could not tell': 2 }
const DEFAULT_SAMPLES = 3
/** SQLSTATE of what the role may not do. */
const INSUFFICIENT_PRIVILEGE = '42501'
const COLUMNS_MAX = 100

await exitWith(() => told().catch(brokenOff))

async function told(): Promise<number> {
  const options = parse(process.argv.slice(2))
  const [live, config] = loadTogether(loadLiveConfig, loadPreflightConfig)
  const report = await look(live, config, options)
  if (config.metrics !== undefined && report.server)
    writeWhole(config.metrics, openMetricsText(preflightFamilies(report)))
  const columns = Math.min(process.stdout.columns ?? COLUMNS_MAX, COLUMNS_MAX)
  const isColoured = process.stdout.isTTY && process.stdout.hasColors() && process.env.NO_COLOR === undefined
  console.log(options.isJson ? JSON.stringify(report, null, 2) : preflightText(report, columns, isColoured).join('\n'))
  return EXIT_STATUS[report.verdict]
}

/** Node's own status for an error that nobody expected is 1, which is a no-go here. */
function brokenOff(error: Error): number {
  if (error.name === 'CannotRun') throw error
  console.error(error)
  return EXIT_STATUS['could not tell']
}

/** Of a server that cannot be asked, nothing can be told: that is a verdict too. */
async function look(
  live: LiveConfig,
  config: PreflightConfig,
  { samples, isProbing }: { samples: number; isProbing: boolean },
): Promise<PreflightReport> {
  const startedAt = performance.now()
  const at = new Date().toISOString()
  try {
    const surroundings = await openSurroundings(live, config)
    const facts = await gatherFacts(surroundings, { looks: samples })
    const more = []
    if ((isProbing || config.isProbing) && !facts.server.isInRecovery) {
      await using session = await surroundings.session()
      const isListed = !('unknown' in facts.archive)
      more.push(
        await probe(session, isListed ? surroundings.archive(facts.server.segmentSizeBytes)?.archive : undefined),
      )
    }
    return reportOf(facts, config, { more, tookSeconds: (performance.now() - startedAt) / 1000 })
  } catch (error) {
    return unasked(live.way === 'direct' ? `${live.host}:${live.port}` : live.service, whyNot(error), at)
  }
}

/** Whatever it is that broke, it is no verdict on the server: a sentence, and where it is a mistake of ours, its place. */
function whyNot(error: unknown): string {
  if (error instanceof CannotRun) return error.message
  const { message, code } = error as Error & { code?: string }
  const said = redact(message)
  if (code === INSUFFICIENT_PRIVILEGE)
    return `this role may not see what a look needs (${said}): GRANT pg_monitor, pg_read_all_data TO it`
  if (code === undefined) console.error(error)
  return `the look broke off: ${said}; look again`
}

function parse(args: string[]): { samples: number; isProbing: boolean; isJson: boolean } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        samples: { type: 'string', default: String(DEFAULT_SAMPLES) },
        probe: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    if (!/^\d{1,3}$/.test(values.samples)) throw new Error(`--samples is '${values.samples}'`)
    return { samples: Number(values.samples), isProbing: values.probe, isJson: values.json }
  } catch (cause) {
    throw new CannotRun(
      `${(cause as Error).message.split('. To specify')[0]}: give --samples with a number up to 999, --probe and --json, nothing else`,
      { cause },
    )
  }
}
