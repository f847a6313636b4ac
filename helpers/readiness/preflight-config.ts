import { statSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { ConfigMistakes, nearest, readVariables, redact } from '../environment.ts'

/** What the user has set of the preflight, but for how the server is reached. */
export interface PreflightConfig {
  /** Where the live server's WAL archive is; undefined: the user has not said. */
  readonly archive: ArchiveConfig | undefined
  readonly durablePaths: readonly string[]
  readonly backupMaxAgeSeconds: number
  readonly maxLagSeconds: number
  readonly isProbing: boolean
  /** The file that metrics are written to, as an absolute path. */
  readonly metrics: string | undefined
}

export type ArchiveConfig =
  /** A folder of this machine. */
  | { kind: 'folder'; folder: string }
  /** A folder in the container of the Compose service. */
  | { kind: 'in-service'; folder: string }
  /** What prints the names, and what prints a file. */
  | { kind: 'command'; list: string; fetch: string | undefined }

const PREFIX = 'PREFLIGHT_'
/** Read where it is decided how the server is reached. */
const ELSEWHERE: readonly string[] = ['PREFLIGHT_COMPOSE_FILE', 'PREFLIGHT_COMPOSE_SERVICE']

const UNITS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400 }

const duration = z
  .string()
  .refine(value => /^\d+(\.\d+)? ?(s|min|h|d)$/.test(value), {
    error: ({ input }) =>
      `is '${redact(String(input))}': set it to a time with its unit, such as 90 s, 15min, 26h or 2d`,
  })
  .transform(value => {
    const [, count, unit = ''] = /^([\d.]+) ?(\w+)$/.exec(value) ?? []
    return Number(count) * (UNITS[unit] ?? Number.NaN)
  })

const oneLine = z.string().refine(value => !/[\r\n]/.test(value), 'holds a line break: write it as one line')
const absolute = z.string().refine(value => path.posix.isAbsolute(value), {
  error: ({ input }) => `is '${redact(String(input))}': set it to a path that begins with /`,
})

const schema = z.strictObject({
  PREFLIGHT_ARCHIVE: z
    .string()
    .transform(folder => path.resolve(folder))
    .optional(),
  PREFLIGHT_ARCHIVE_IN_SERVICE: absolute.optional(),
  PREFLIGHT_ARCHIVE_LIST_COMMAND: oneLine.optional(),
  PREFLIGHT_ARCHIVE_FETCH_COMMAND: oneLine
    .refine(value => value.includes('%f'), 'does not mention %f: the name of the file that is wanted stands there')
    .optional(),
  PREFLIGHT_DURABLE_PATHS: z
    .string()
    .transform(value => value.split(',').flatMap(one => one.trim() || []))
    .refine(paths => paths.every(one => path.posix.isAbsolute(one)), 'names a path that does not begin with /')
    .transform(paths => paths.map(one => path.posix.normalize(one).replace(/(?<=.)\/$/, '')))
    .default([]),
  PREFLIGHT_BACKUP_MAX_AGE: duration.default(26 * 3600),
  PREFLIGHT_MAX_LAG: duration.default(15 * 60),
  PREFLIGHT_PROBE: z
    .enum(['0', '1'], { error: ({ input }) => `is '${redact(String(input))}': set it to 1, or leave it out` })
    .default('0'),
  PREFLIGHT_METRICS: z
    .string()
    .endsWith('.prom', 'does not end in .prom: the textfile collector of node_exporter reads no other file')
    .transform(file => path.resolve(file))
    .refine(file => statSync(path.dirname(file), { throwIfNoEntry: false })?.isDirectory(), {
      error: ({ input }) =>
        `is '${redact(String(input))}', whose folder is not there: name one in the folder that node_exporter reads, or make that`,
    })
    .optional(),
})

const ARCHIVES = ['PREFLIGHT_ARCHIVE', 'PREFLIGHT_ARCHIVE_IN_SERVICE', 'PREFLIGHT_ARCHIVE_LIST_COMMAND'] as const

/**
 * Reads what is set of the preflight from `environment` and, where that has nothing, from `envFile`.
 * @throws {ConfigMistakes} with all that is wrong.
 */
export function loadPreflightConfig(environment: NodeJS.ProcessEnv = process.env, envFile = '.env'): PreflightConfig {
  const { values: variables, mistakes: misread } = readVariables(
    name => name.startsWith(PREFIX) && !ELSEWHERE.includes(name),
    environment,
    envFile,
  )
  const parsed = schema.safeParse(variables)
  const isCompose = readVariables(name => name === 'PREFLIGHT_COMPOSE_FILE', environment, envFile).values
  const mistakes = [
    ...misread,
    ...(parsed.error?.issues ?? []).flatMap(sentences),
    ...disagreements(variables, 'PREFLIGHT_COMPOSE_FILE' in isCompose),
  ]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  const values = parsed.data
  return Object.freeze({
    archive: archiveOf(values),
    durablePaths: values.PREFLIGHT_DURABLE_PATHS,
    backupMaxAgeSeconds: values.PREFLIGHT_BACKUP_MAX_AGE,
    maxLagSeconds: values.PREFLIGHT_MAX_LAG,
    isProbing: values.PREFLIGHT_PROBE === '1',
    metrics: values.PREFLIGHT_METRICS,
  })
}

function archiveOf(values: z.infer<typeof schema>): ArchiveConfig | undefined {
  if (values.PREFLIGHT_ARCHIVE !== undefined) return { kind: 'folder', folder: values.PREFLIGHT_ARCHIVE }
  if (values.PREFLIGHT_ARCHIVE_IN_SERVICE !== undefined)
    return { kind: 'in-service', folder: values.PREFLIGHT_ARCHIVE_IN_SERVICE }
  if (values.PREFLIGHT_ARCHIVE_LIST_COMMAND === undefined) return undefined
  return {
    kind: 'command',
    list: values.PREFLIGHT_ARCHIVE_LIST_COMMAND,
    fetch: values.PREFLIGHT_ARCHIVE_FETCH_COMMAND,
  }
}

function disagreements(variables: Readonly<Record<string, string>>, isCompose: boolean): string[] {
  const archives = ARCHIVES.filter(name => variables[name] !== undefined)
  return [
    ...(archives.length > 1 ? [`${archives.join(' and ')} are all set, and may name two archives: keep one`] : []),
    ...(variables.PREFLIGHT_ARCHIVE_IN_SERVICE && !isCompose
      ? ['PREFLIGHT_ARCHIVE_IN_SERVICE is set without a service: set PREFLIGHT_COMPOSE_FILE to its Compose file']
      : []),
    ...(variables.PREFLIGHT_ARCHIVE_FETCH_COMMAND && !variables.PREFLIGHT_ARCHIVE_LIST_COMMAND
      ? ['PREFLIGHT_ARCHIVE_FETCH_COMMAND is set without PREFLIGHT_ARCHIVE_LIST_COMMAND: set what prints the names too']
      : []),
  ]
}

function sentences(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${String(issue.path[0])} ${issue.message}`]
  return issue.keys.map(name => {
    const near = nearest(name, Object.keys(schema.shape))
    return `${name} is not a variable of the preflight: ${near ? `did you mean ${near}?` : 'remove it, or see .env.example for those there are'}`
  })
}
