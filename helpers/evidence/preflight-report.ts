import { z } from 'zod'
import { SIGNAL_NAMES } from '../escalation/signal.ts'

/** A moment, as ISO 8601 in UTC. */
const moment = z.iso.datetime()
const seconds = z.number().nonnegative()
const lsn = z.string().regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/)

const preflightCheckSchema = z.object({
  name: z.string().describe('Of a setting its name; else what is looked at, in kebab-case. Stays the same'),
  verdict: z
    .enum(['ok', 'warning', 'failure', 'unknown'])
    .describe('`warning` is a go with something to know; `unknown` is what could not be seen'),
  isDecisive: z.boolean().describe('Whether the verdict of the whole could not be told while this is unknown'),
  seen: z.string(),
  wanted: z.string(),
  source: z.string().optional().describe('Of a setting: file and line, where PostgreSQL tells, or what it names'),
  pendingRestart: z.boolean().optional().describe('The configuration file holds another value'),
  advice: z.string().describe('What is wrong and what to do; empty when ok'),
})
export type PreflightCheck = z.infer<typeof preflightCheckSchema>

const windowSchema = z.object({
  backup: z.object({ label: z.string(), startLsn: lsn, stopLsn: lsn, timeline: z.number().int() }),
  from: moment.optional().describe('The first moment that one can come back to; none where no clock tells it'),
  to: moment.optional().describe('The last commit in the archive; none where none was found'),
  toLsn: lsn.describe('Where what recovery can read ends'),
  behindSeconds: seconds
    .optional()
    .describe('At the most, what was committed so long before now is not in the archive; 0 when nothing is missing'),
})
export type ReportedWindow = z.infer<typeof windowSchema>

const lagSchema = z.object({
  segments: z.number().int().nonnegative().describe('That hold WAL which the archive does not'),
  bytes: z.number().int().nonnegative(),
  seconds: seconds.optional().describe('At the most, the age of the oldest commit in them'),
})

/** What `npm run preflight --json` prints. */
export const preflightReportSchema = z.object({
  version: z.literal(1),
  verdict: z.enum(['go', 'no-go', 'could not tell']),
  at: moment.describe('When the look began, by the clock of this machine'),
  tookSeconds: seconds,
  where: z.string().describe('The server, without any secret'),
  server: z
    .object({
      version: z.string(),
      systemIdentifier: z.string(),
      timeline: z.number().int().optional(),
      insertLsn: lsn.optional(),
    })
    .optional()
    .describe('None where it could not be asked'),
  archive: z.string().optional().describe('Where it is'),
  looks: z.number().int().nonnegative().describe('At the archiver, a second apart'),
  window: windowSchema.optional().describe('Between which moments one can come back to any'),
  lag: lagSchema.optional().describe('How far the archive is behind the server'),
  signals: z
    .partialRecord(z.enum(SIGNAL_NAMES), z.number().int().nonnegative())
    .describe('How many conditions each detector found; one that could not look is left out'),
  checks: z.array(preflightCheckSchema).describe('The reasons in the order of their weight, then what is ok'),
})
export type PreflightReport = z.infer<typeof preflightReportSchema>
