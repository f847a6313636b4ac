import path from 'node:path'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { ConfigMistakes, nearest, readVariables, redact } from '../environment.ts'
import { Failure } from '../failure.ts'
import { findOwnConnection } from './own-connection.ts'
import { parseRequestedTarget, type RequestedTarget } from './requested-target.ts'

/** What the user has set for a restore of a backup of their own, read once. */
export interface RestoreConfig {
  /** A folder, a tar file or a pgBackRest repository, as an absolute path. */
  readonly backup: string
  /** Of a pgBackRest repository with several. */
  readonly stanza: string | undefined
  /** Where WAL comes from; undefined: the backup brings all that is needed along. */
  readonly wal: { folder: string } | { command: string } | undefined
  readonly target: RequestedTarget
  /** The file that the restored server is compared with. */
  readonly snapshot: string | undefined
  /** The user's SQL checks: a file, or a folder of them. */
  readonly checks: string | undefined
  /** Exits with 0 once the user's application is healthy on the restored server. */
  readonly healthCommand: string | undefined
  /** That the SQL checks and the application are for. */
  readonly database: string | undefined
  /** A superuser of the backup; undefined: the one that initdb made. */
  readonly user: string | undefined
  /** The variables as set, by name, secrets included. */
  readonly variables: Readonly<Record<string, string>>
}

const PREFIX = 'RESTORE_'

// Every message goes on from the variable's name: "RESTORE_TARGET is 'x': set it to …".

const place = z.string().transform(text => path.resolve(text))
const command = z.string().refine(text => !/[\r\n]/.test(text), 'holds a line break: write it as one line')

const restoreCommand = command
  .refine(text => lettersIn(text).includes('f'), 'does not mention %f: the name of the WAL file comes in its place')
  .refine(text => lettersIn(text).includes('p'), 'does not mention %p: the path to fetch it to comes in its place')
  .refine(
    text => lettersIn(text).every(letter => 'fpr%'.includes(letter) && letter !== ''),
    'holds a percent sign before something else than f, p, r or another percent sign, which PostgreSQL refuses from 16 on: write %% for a percent sign',
  )

const target = z.string().transform((text, context): RequestedTarget => {
  try {
    return parseRequestedTarget(text)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    context.addIssue({ code: 'custom', message: error.message })
    return z.NEVER
  }
})

const schema = z.strictObject({
  RESTORE_BACKUP: z
    .string({
      error: 'is not set: set it to the folder, the tar file or the pgBackRest repository of your backup',
    })
    .transform(text => path.resolve(text)),
  RESTORE_STANZA: z.string().optional(),
  RESTORE_WAL: place.optional(),
  RESTORE_COMMAND: restoreCommand.optional(),
  RESTORE_TARGET: target.default({ kind: 'latest' }),
  RESTORE_SNAPSHOT: place.optional(),
  RESTORE_CHECKS: place.optional(),
  RESTORE_HEALTH_COMMAND: command.optional(),
  RESTORE_DATABASE: z.string().optional(),
  RESTORE_USER: z.string().optional(),
})

/** Every variable that a user may set. */
const names: readonly string[] = Object.keys(schema.shape)

/**
 * Reads the settings from `environment` and, where that has none, from `envFile`, which need not exist.
 * @param drills what is set for all drills: of it the application is used here too.
 * @throws {ConfigMistakes} with all that is wrong.
 */
export function loadRestoreConfig(
  { apiCommand }: Pick<Config, 'apiCommand'>,
  environment: NodeJS.ProcessEnv = process.env,
  envFile = '.env',
): RestoreConfig {
  const { values: all, mistakes: misread } = readVariables(isNear, environment, envFile)
  const variables = Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)))
  const parsed = schema.safeParse(variables)
  const mistakes = [
    ...misread,
    ...Object.keys(all)
      .filter(name => !names.includes(name))
      .map(name => `${name} is not a variable of the restore drill: did you mean ${nearest(name, names)}?`),
    ...(parsed.error?.issues ?? []).map(({ path, message }) => `${String(path[0])} ${message}`),
    ...disagreements(variables),
    ...ownConnections(
      { ...variables, ...(apiCommand === undefined ? {} : { DRILL_API_COMMAND: apiCommand }) },
      environment,
    ),
  ]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  const values = parsed.data
  const { RESTORE_WAL: folder, RESTORE_COMMAND: command } = values
  return Object.freeze({
    backup: values.RESTORE_BACKUP,
    stanza: values.RESTORE_STANZA,
    wal: folder !== undefined ? { folder } : command !== undefined ? { command } : undefined,
    target: values.RESTORE_TARGET,
    snapshot: values.RESTORE_SNAPSHOT,
    checks: values.RESTORE_CHECKS,
    healthCommand: values.RESTORE_HEALTH_COMMAND,
    database: values.RESTORE_DATABASE,
    user: values.RESTORE_USER,
    variables: Object.freeze(variables),
  })
}

/** The variables as set, fit to be shown. */
export function describeRestoreConfig({ variables }: RestoreConfig): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, redact(value)]))
}

/** Other programs have variables that begin alike: no more than what is close to one of ours is taken for a slip of it. */
function isNear(name: string): boolean {
  return name.startsWith(PREFIX) && (names.includes(name) || nearest(name, names) !== undefined)
}

function disagreements(variables: Readonly<Record<string, string>>): string[] {
  const mistakes: string[] = []
  if (variables.RESTORE_WAL && variables.RESTORE_COMMAND)
    mistakes.push('RESTORE_WAL and RESTORE_COMMAND are both set, and WAL comes from one of them: take out the other')
  if (variables.RESTORE_TARGET === 'snapshot' && !variables.RESTORE_SNAPSHOT)
    mistakes.push(
      'RESTORE_TARGET is snapshot, and there is none: set RESTORE_SNAPSHOT to a file that `npm run snapshot` wrote',
    )
  return mistakes
}

/** Of commands that are started on the restored server's behalf, and would not be content with that. */
function ownConnections(variables: Readonly<Record<string, string>>, environment: NodeJS.ProcessEnv): string[] {
  return ['DRILL_API_COMMAND', 'RESTORE_HEALTH_COMMAND'].flatMap(name => {
    const own = findOwnConnection(variables[name] ?? '', environment)
    return own === undefined
      ? []
      : `${name} names a database of its own (${redact(own)}), and would be let loose on that one: take it out, DATABASE_URL and PG variables lead to the restored server`
  })
}

/** What stands behind each percent sign, read as PostgreSQL reads it. */
function lettersIn(text: string): string[] {
  return [...text.matchAll(/%(.?)/gsu)].map(([, letter = '']) => letter)
}
