import { z } from 'zod'
import { ConfigMistakes, nearest, readVariables, redact } from '../environment.ts'

/** How a live snapshot is taken. */
export interface SnapshotConfig {
  /** Which tables have a checksum of all their rows; `small`: those below a size, and of the others some rows. */
  readonly checksum: 'small' | 'all' | 'none' | readonly string[]
  readonly checksumBelowBytes: number
  /** No longer than this may its transaction hold vacuum back. */
  readonly maxSeconds: number
}

const PREFIX = 'SNAPSHOT_'
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

const size = z
  .string()
  .regex(/^\d{1,9} ?(?:B|kB|MB|GB|TB)$/, {
    error: ({ input }) =>
      `is '${redact(String(input))}': set it to a whole number and a unit, of ${UNITS.join(', ')}, such as 1GB`,
  })
  .transform(text => {
    const [, number = '', unit = ''] = /^(\d+) ?(\w+)$/.exec(text) ?? []
    return Number(number) * 1024 ** UNITS.indexOf(unit as (typeof UNITS)[number])
  })
  .refine(
    bytes => bytes > 0 && Number.isSafeInteger(bytes),
    'is no size that a table can have: set it to one such as 1GB',
  )

const maxSeconds = z
  .string()
  .refine(text => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 86_400, {
    error: ({ input }) => `is '${redact(String(input))}': set it to a whole number of seconds from 1 to 86400`,
  })
  .transform(Number)

const checksum = z.string().transform((text, context) => {
  if (text === 'all' || text === 'none') return text
  // A comma in double quotes belongs to a name.
  const names = (text.match(/(?:"(?:[^"]|"")*"|[^",])+/g) ?? []).map(name => name.trim()).filter(name => name !== '')
  for (const name of names.filter(one => !one.includes('.')))
    context.addIssue({
      code: 'custom',
      message: `names ${name}: name all tables as schema.table, or set it to all or none`,
    })
  if (names.length === 0)
    context.addIssue({ code: 'custom', message: 'names no table: set it to all or none, or name some' })
  return names
})

const schema = z.strictObject({
  SNAPSHOT_CHECKSUM: checksum.optional(),
  SNAPSHOT_CHECKSUM_BELOW: size.default(1024 ** 3),
  SNAPSHOT_MAX_SECONDS: maxSeconds.default(300),
})

/**
 * Reads how a snapshot is to be taken from `environment` and, where that has nothing, from `envFile`.
 * @throws {ConfigMistakes} with all that is wrong.
 */
export function loadSnapshotConfig(environment: NodeJS.ProcessEnv = process.env, envFile = '.env'): SnapshotConfig {
  const { values, mistakes: misread } = readVariables(name => name.startsWith(PREFIX), environment, envFile)
  const parsed = schema.safeParse(values)
  const mistakes = [...misread, ...(parsed.error?.issues ?? []).flatMap(sentences)]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  return Object.freeze({
    checksum: parsed.data.SNAPSHOT_CHECKSUM ?? 'small',
    checksumBelowBytes: parsed.data.SNAPSHOT_CHECKSUM_BELOW,
    maxSeconds: parsed.data.SNAPSHOT_MAX_SECONDS,
  })
}

function sentences(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${String(issue.path[0])} ${issue.message}`]
  return issue.keys.map(name => {
    const near = nearest(name, Object.keys(schema.shape))
    return `${name} is not a variable of snapshots: ${near ? `did you mean ${near}?` : 'remove it, or see .env.example for those there are'}`
  })
}
