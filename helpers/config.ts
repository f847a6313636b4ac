import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import {
  ConfigMistakes,
  nearest,
  readVariables,
  redact,
  SHORTEST_SECRET,
  secretsOf,
  secretsOfEnvironment,
  secretsOfKey,
} from './environment.ts'
import { declaredDrills } from './evidence/declared-drills.ts'
import { RUN_ID_VARIABLE } from './run/registry.ts'
import type { Capability, RuntimeName } from './runtime/runtime.ts'

/** What the user has set, read once. Plain data, so that it crosses from the run to its workers. */
export interface Config {
  /** Forced by the user; otherwise the run chooses. */
  readonly runtime: RuntimeName | undefined
  /** Of the embedded servers. */
  readonly pgMajor: number
  /** Of the servers in containers. */
  readonly image: string
  /** With `{archive}` and `{scripts}` still in it. */
  readonly archiveCommand: string | undefined
  /** With `{archive}` and `{scripts}` still in it. */
  readonly restoreCommand: string | undefined
  /** The folder of the user's scripts, as an absolute path on this machine. */
  readonly scripts: string | undefined
  readonly apiCommand: string | undefined
  /** Where the application under drill answers, the reference one too, with `{port}` still in it. */
  readonly healthUrl: string
  readonly rtoSeconds: number | undefined
  readonly rpoSeconds: number | undefined
  readonly keep: 'never' | 'on-failure' | 'always'
  /** Ids of drills, names of capabilities, `docker`. */
  readonly require: readonly string[]
  /** How many moments of a concurrent workload are drawn and restored. */
  readonly moments: number
  /** What workload and moments are drawn from; none: one is drawn, and said. */
  readonly seed: number | undefined
  /** The folder of `history.jsonl`, as an absolute path; none: `reports` of the checkout. */
  readonly history: string | undefined
  /** What stands in for `reports/controls.yml`, as an absolute path. */
  readonly controls: string | undefined
  /** Ed25519 private key as PEM, or the path of a file with one. A secret. */
  readonly signingKey: string | undefined
  /** That may stand nowhere: of the variables that `DRILL_SECRETS` names, of the signing key, and what libpq takes for a password. */
  readonly secrets: readonly string[]
  /** The variables as set, by name, secrets included: shown by `describeConfig` alone. */
  readonly variables: Readonly<Record<string, string>>
}

const PREFIX = 'DRILL_'

/** Set by the suite for the processes that it starts, never by a user. */
const INTERNAL: readonly string[] = [RUN_ID_VARIABLE, 'DRILL_SABOTAGE']

const capabilities: Record<Capability, true> = {
  readOnlyArchive: true,
  fullArchive: true,
  networkCut: true,
  clientPrograms: true,
}
const requirable = ['docker', ...Object.keys(capabilities)]

// Every message goes on from the variable's name: "DRILL_KEEP is 'x': set it to …".

const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, {
    error: ({ input }) => `is '${redact(String(input))}': set it to ${values.join(', ')}, or leave it out`,
  })

const seconds = z
  .string()
  .refine(value => /^\d+(\.\d+)?$/.test(value) && Number.isFinite(Number(value)), {
    error: ({ input }) =>
      `is '${redact(String(input))}': set it to a number of seconds that is not negative, such as 900 or 0.5`,
  })
  .transform(Number)

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .refine(value => /^\d+$/.test(value) && Number(value) >= least && Number(value) <= most, {
      error: ({ input }) => `is '${redact(String(input))}': set it to a whole number from ${least} to ${most}`,
    })
    .transform(Number)

const command = z.string().refine(value => !/[\r\n]/.test(value), 'holds a line break: write it as one line')

/**
 * What archive_command and restore_command have in common. `${name}` is the shell's and none of ours.
 * @param letters what PostgreSQL replaces behind a percent sign.
 * @param access what the command does to the place that it names.
 */
const walCommand = (letters: readonly string[], access: string) =>
  command
    .refine(
      value => percentLetters(value).includes('f'),
      'does not mention %f: PostgreSQL puts the name of the WAL file there',
    )
    .refine(
      value => percentLetters(value).includes('p'),
      'does not mention %p: PostgreSQL puts the path of the file on the server there',
    )
    .refine(
      value => placeholders(value).includes('archive'),
      `does not mention {archive}, and would ${access} a place that is not the drill's own, such as production's archive: put {archive} where the archive's path stands`,
    )
    .refine(value => placeholders(value).every(name => ['archive', 'scripts'].includes(name)), {
      error: ({ input }) =>
        `holds ${foreign(String(input), ['archive', 'scripts'])}: only {archive} and {scripts} stand for something here`,
    })
    // Before 16 they are left as they are, so that a command which runs today would fail after an upgrade.
    .refine(value => unknownPercents(value, letters).length === 0, {
      error: ({ input }) =>
        `holds ${unknownPercents(redact(String(input)), letters).join(', ') || 'a percent sign in what is hidden here'}, which PostgreSQL refuses from 16 on: only ${inWords(letters.map(letter => `%${letter}`))} stand for something there, and a percent sign is written %%`,
    })

const healthUrl = z
  .string()
  .refine(
    isHttpUrl,
    'is not an address that begins with http:// or https://: write one such as http://127.0.0.1:{port}/health',
  )
  .refine(value => placeholders(value).every(name => name === 'port'), {
    error: ({ input }) => `holds ${foreign(String(input), ['port'])}: only {port} stands for something here`,
  })

const requirements = z
  .string()
  // Redacted before it is taken apart: a part of a secret is not recognised as one.
  .transform(value => commaList(redact(value)))
  .superRefine((items, context) => {
    const named = items.filter(item => !requirable.includes(item))
    // Only where one is named: their files have to be read for it.
    const drills = named.length === 0 ? [] : declaredDrills().flatMap(({ id }) => id ?? [])
    for (const item of named.filter(one => !drills.includes(one))) {
      const near = drills.find(id => id.toLowerCase() === item.toLowerCase()) ?? nearest(item, requirable)
      const hint = near
        ? `did you mean ${near}?`
        : `there are the drills ${drills.join(', ')}, and ${requirable.join(', ')}`
      context.addIssue({ code: 'custom', message: `names '${item}', which cannot be required: ${hint}` })
    }
  })

const schema = z.strictObject({
  DRILL_RUNTIME: oneOf('docker', 'embedded').optional(),
  DRILL_PG_MAJOR: oneOf('15', '16', '17', '18').default('18').transform(Number),
  DRILL_IMAGE: z
    .string()
    .regex(/^\S+$/, 'has white space in it: name one image, such as postgres:18')
    .default('postgres:18'),
  DRILL_ARCHIVE_COMMAND: walCommand(['f', 'p'], 'write to').optional(),
  DRILL_RESTORE_COMMAND: walCommand(['f', 'p', 'r'], 'read from').optional(),
  DRILL_SCRIPTS: z
    .string()
    // With `/.` behind it a file does not exist, and a folder does only when it can be entered.
    .refine(
      folder => existsSync(`${folder}/.`),
      'is not a folder that can be read: set it to the folder of your scripts',
    )
    .transform(folder => path.resolve(folder))
    .optional(),
  DRILL_API_COMMAND: command.optional(),
  DRILL_HEALTH_URL: healthUrl.default('http://127.0.0.1:{port}/health'),
  DRILL_RTO_SECONDS: seconds.optional(),
  DRILL_RPO_SECONDS: seconds.optional(),
  DRILL_KEEP: oneOf('never', 'on-failure', 'always').default('never'),
  DRILL_REQUIRE: requirements.default([]),
  DRILL_MOMENTS: wholeNumber(1, 100_000).default(12),
  DRILL_SEED: wholeNumber(0, 2 ** 32 - 1).optional(),
  DRILL_SIGNING_KEY: z.string().optional(),
  DRILL_HISTORY: z
    .string()
    .transform(folder => path.resolve(folder))
    .optional(),
  DRILL_CONTROLS: z
    .string()
    .refine(file => existsSync(file), 'is not a file that is there: set it to your own copy of reports/controls.yml')
    .transform(file => path.resolve(file))
    .optional(),
  DRILL_SECRETS: z.string().transform(commaList).default([]),
})

/** Every variable that a user may set. */
export const variableNames: readonly string[] = Object.keys(schema.shape)

/**
 * Reads the settings from `environment` and, where that has none, from `envFile`, which need not exist. An empty value
 * means unset. Changes neither.
 * @throws {ConfigMistakes} with all that is wrong.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env, envFile = '.env'): Config {
  const { values: variables, mistakes: misread } = readVariables(isUserVariable, environment, envFile)
  const parsed = schema.safeParse(variables)
  const named = namedSecrets(variables.DRILL_SECRETS ?? '', environment, envFile)
  const mistakes = [
    ...misread,
    ...(parsed.error?.issues ?? []).flatMap(sentences),
    ...disagreements(variables),
    ...named.mistakes,
  ]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  const values = parsed.data
  return Object.freeze({
    runtime: values.DRILL_RUNTIME,
    pgMajor: values.DRILL_PG_MAJOR,
    image: values.DRILL_IMAGE,
    archiveCommand: values.DRILL_ARCHIVE_COMMAND,
    restoreCommand: values.DRILL_RESTORE_COMMAND,
    scripts: values.DRILL_SCRIPTS,
    apiCommand: values.DRILL_API_COMMAND,
    healthUrl: values.DRILL_HEALTH_URL,
    rtoSeconds: values.DRILL_RTO_SECONDS,
    rpoSeconds: values.DRILL_RPO_SECONDS,
    keep: values.DRILL_KEEP,
    require: Object.freeze(values.DRILL_REQUIRE),
    moments: values.DRILL_MOMENTS,
    seed: values.DRILL_SEED,
    history: values.DRILL_HISTORY,
    controls: values.DRILL_CONTROLS,
    signingKey: values.DRILL_SIGNING_KEY,
    secrets: Object.freeze([
      ...new Set([
        ...named.secrets,
        ...secretsOfKey(readKey(values.DRILL_SIGNING_KEY ?? '')),
        ...passwords(environment, envFile),
        ...secretsOfEnvironment(readVariables(() => true, environment, envFile).values),
      ]),
    ]),
    variables: Object.freeze(variables),
  })
}

/** What the user requires. Whether Docker is there is seen when the runtime is opened. */
export function requiredBy({ require }: Pick<Config, 'require'>): { drills: string[]; capabilities: string[] } {
  return {
    drills: require.filter(name => !requirable.includes(name)),
    capabilities: require.filter(name => Object.hasOwn(capabilities, name)),
  }
}

/** The variables as set, whether in the environment or in the file, fit to be shown. */
export function describeConfig(config: Config): Record<string, string> {
  return Object.fromEntries(Object.entries(config.variables).map(([name, value]) => [name, redact(value)]))
}

function isUserVariable(name: string): boolean {
  return name.startsWith(PREFIX) && !INTERNAL.includes(name)
}

function sentences(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${String(issue.path[0])} ${issue.message}`]
  return issue.keys.map(name => {
    const near = nearest(name, variableNames)
    return `${name} is not a variable of the drills: ${near ? `did you mean ${near}?` : 'remove it, or see .env.example for those there are'}`
  })
}

/** What is wrong between variables, looked for in the text that was set: it is told even when one of them is wrong in itself. */
function disagreements(variables: Readonly<Record<string, string>>): string[] {
  const mistakes = ['DRILL_ARCHIVE_COMMAND', 'DRILL_RESTORE_COMMAND']
    .filter(name => placeholders(variables[name] ?? '').includes('scripts') && !variables.DRILL_SCRIPTS)
    .map(name => `${name} holds {scripts}, but there are none: set DRILL_SCRIPTS to the folder of your scripts`)
  if (variables.DRILL_RUNTIME === 'embedded' && commaList(variables.DRILL_REQUIRE ?? '').includes('docker')) {
    mistakes.push('DRILL_REQUIRE names docker, and DRILL_RUNTIME is embedded: take out one of the two')
  }
  if (variables.DRILL_HEALTH_URL && !variables.DRILL_API_COMMAND) {
    mistakes.push(
      'DRILL_HEALTH_URL is set without an application that could answer there: set DRILL_API_COMMAND to what starts it',
    )
  }
  return mistakes
}

/** The values of the variables that the user names, wherever they are set. */
function namedSecrets(list: string, environment: NodeJS.ProcessEnv, envFile: string) {
  const names = commaList(list)
  const { values } = readVariables(name => names.includes(name), environment, envFile)
  const mistakes = names.flatMap((name, index) => {
    if (values[name] === undefined)
      // Somebody may have written the secret itself there.
      return `DRILL_SECRETS names ${/^[A-Z_][A-Z0-9_]*$/.test(name) ? name : `something (number ${index + 1} of the list)`}, which is not a variable that is set: list names of variables there, never their values`
    if (values[name].length < SHORTEST_SECRET)
      return `DRILL_SECRETS names ${name}, whose value has fewer than ${SHORTEST_SECRET} characters, so that hiding it wherever it occurs would hide the evidence: make it longer, or take it out`
    return []
  })
  return { secrets: Object.values(values), mistakes }
}

/** The key itself. What is wrong with a file of it is told by whoever signs. */
function readKey(value: string): string {
  try {
    return value.includes('-----') ? value : readFileSync(value, 'utf8')
  } catch {
    return ''
  }
}

/** No drill uses them, and the user's own scripts may. */
function passwords(environment: NodeJS.ProcessEnv, envFile: string): string[] {
  const { values } = readVariables(name => name === 'PGPASSWORD' || name === 'DATABASE_URL', environment, envFile)
  const { PGPASSWORD, DATABASE_URL } = values
  return [...(PGPASSWORD ? [PGPASSWORD] : []), ...(DATABASE_URL ? secretsOf({ variables: { DATABASE_URL } }) : [])]
}

function commaList(text: string): string[] {
  const items = text.split(',').map(item => item.trim())
  return [...new Set(items)].filter(item => item !== '')
}

/**
 * What stands behind each percent sign, read as PostgreSQL reads it: from the left, and `%%` is a percent sign. Nothing stands
 * behind the last one of a text.
 * @see PostgreSQL documentation, "archive_command" and "restore_command"
 */
function percentLetters(text: string): string[] {
  return [...text.matchAll(/%(.?)/gsu)].map(([, letter = '']) => letter)
}

/** For a message: those that stand for nothing to PostgreSQL. */
function unknownPercents(text: string, known: readonly string[]): string[] {
  const unknown = percentLetters(text).filter(letter => !known.includes(letter) && letter !== '%')
  return [...new Set(unknown)].map(letter => `'%${letter}'`)
}

function inWords(items: readonly string[]): string {
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
}

/** Each `{word}`, without its braces, unless it is the shell's `${word}`. */
function placeholders(text: string): string[] {
  return [...text.matchAll(/(?<!\$)\{(\w+)\}/g)].map(match => match[1] ?? '')
}

/** For a message: those that stand for nothing here, unless they are part of a secret. */
function foreign(text: string, known: string[]): string {
  const names = placeholders(redact(text)).filter(name => !known.includes(name))
  return [...new Set(names)].map(name => `{${name}}`).join(', ') || 'a word in braces'
}

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value.replaceAll(/\{\w+\}/g, '1'))
}
