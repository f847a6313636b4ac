import { existsSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { ConfigMistakes, readVariables, redact } from '../environment.ts'
import { type ParsedUrl, parseConnectionUrl, type UrlParameter } from './connection-url.ts'

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** What is asked of TLS, as libpq means it. @see PostgreSQL documentation, "SSL Mode Descriptions" */
type SslMode = (typeof SSL_MODES)[number]

/** A connection of our own. */
export interface DirectConfig {
  readonly way: 'direct'
  /** A name, an address, or the folder of a Unix socket, which begins with `/`. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Plain: for the connection alone. */
  readonly password: string | undefined
  readonly passFile: string
  readonly database: string
  readonly sslMode: SslMode
  /** `system`, or a file; where the user named none, libpq's own, if it is there. */
  readonly sslRootCert: string | undefined
  readonly sslCert: string | undefined
  readonly sslKey: string | undefined
  readonly connectTimeoutSeconds: number
}

/** Over `psql` in the container of a Compose service. */
export interface ComposeConfig {
  readonly way: 'compose'
  /** As an absolute path. */
  readonly file: string
  readonly service: string
  readonly user: string
  readonly database: string
  readonly connectTimeoutSeconds: number
}

/** How the live server is reached. */
export type LiveConfig = DirectConfig | ComposeConfig

const DEFAULT_CONNECT_TIMEOUT_SECONDS = 10

const sslMode = z.enum(SSL_MODES, {
  error: ({ input }) => `is '${redact(String(input))}': set it to ${SSL_MODES.join(', ')}`,
})

const port = z
  .string()
  .refine(value => /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= 65_535, {
    error: ({ input }) => `is '${redact(String(input))}': set it to a port, a whole number from 1 to 65535`,
  })
  .transform(Number)

const connectTimeout = z
  .string()
  .refine(value => /^\d{1,6}$/.test(value), {
    error: ({ input }) => `is '${redact(String(input))}': set it to a whole number of seconds`,
  })
  // libpq waits for ever then.
  .transform(value => Number(value) || DEFAULT_CONNECT_TIMEOUT_SECONDS)

const oneHost = z.string().refine(value => !value.includes(','), 'names several hosts: name the one to be looked at')

const url = z.string().transform((value, context) => {
  const parsed = parseConnectionUrl(value)
  for (const message of [...parsed.mistakes, ...valueMistakes(parsed)]) context.addIssue({ code: 'custom', message })
  return parsed.values
})

/** What is wrong with a value that PG* variables have as well. */
function valueMistakes({ values }: ParsedUrl): string[] {
  const rules: Partial<Record<UrlParameter, z.ZodType>> = { port, sslmode: sslMode, connect_timeout: connectTimeout }
  return Object.entries(rules).flatMap(([name, rule]) => {
    const value = values[name as UrlParameter]
    const issues = value === undefined ? [] : (rule.safeParse(value).error?.issues ?? [])
    return issues.map(issue => `holds a ${name} that ${issue.message}`)
  })
}

const refusedService =
  'names a service, and service files are not read here: set PGHOST, PGPORT, PGUSER and PGDATABASE to what stands there'

const schema = z.object({
  DATABASE_URL: url.optional(),
  PGHOST: oneHost.optional(),
  PGPORT: port.optional(),
  PGUSER: z.string().optional(),
  PGPASSWORD: z.string().optional(),
  PGDATABASE: z.string().optional(),
  PGSSLMODE: sslMode.optional(),
  PGSSLROOTCERT: z.string().optional(),
  PGSSLCERT: z.string().optional(),
  PGSSLKEY: z.string().optional(),
  PGPASSFILE: z.string().optional(),
  PGCONNECT_TIMEOUT: connectTimeout.optional(),
  PGSERVICE: z.never(refusedService).optional(),
  PGHOSTADDR: z.never('is not read here: set PGHOST to the address').optional(),
  PREFLIGHT_COMPOSE_FILE: z
    .string()
    .refine(existsSync, 'is not there: set it to the file of the Compose stack that the server runs in')
    .transform(file => path.resolve(file))
    .optional(),
  PREFLIGHT_COMPOSE_SERVICE: z
    .string()
    // What else begins with a minus is an option to docker.
    .regex(/^[A-Za-z0-9._][A-Za-z0-9._-]*$/, 'is no name of a service: set it to the name as the Compose file has it')
    .optional(),
})

type Values = z.infer<typeof schema>

/** Every variable that says where the live server is, and nothing else. */
const liveVariableNames: readonly string[] = Object.keys(schema.shape)

/** Each of them says on its own where to connect. */
const PLACES = ['DATABASE_URL', 'PGHOST', 'PGPORT'] as const

/**
 * Reads how the live server is reached from `environment` and, where that has nothing, from `envFile`, as `psql` would: what a
 * URL leaves open, PG* variables say, and else PostgreSQL's defaults.
 * @throws {ConfigMistakes} with all that is wrong.
 */
export function loadLiveConfig(environment: NodeJS.ProcessEnv = process.env, envFile = '.env'): LiveConfig {
  const { values: variables, mistakes: misread } = readVariables(
    name => liveVariableNames.includes(name),
    environment,
    envFile,
  )
  const parsed = schema.safeParse(variables)
  const mistakes = [
    ...misread,
    ...(parsed.error?.issues ?? []).map(issue => `${String(issue.path[0])} ${issue.message}`),
    ...disagreements(variables),
  ]
  if (!parsed.success || mistakes.length > 0) throw new ConfigMistakes(mistakes)
  return Object.freeze(
    parsed.data.PREFLIGHT_COMPOSE_FILE === undefined
      ? directConfig(parsed.data)
      : composeConfig(parsed.data, parsed.data.PREFLIGHT_COMPOSE_FILE),
  )
}

function disagreements(variables: Readonly<Record<string, string>>): string[] {
  const set = (names: readonly string[]) => names.filter(name => variables[name] !== undefined)
  const places = set(PLACES)
  if (variables.PREFLIGHT_COMPOSE_FILE === undefined) {
    const stray = set(['PREFLIGHT_COMPOSE_SERVICE'])
    if (stray.length > 0 && places.length === 0)
      return ['PREFLIGHT_COMPOSE_SERVICE is set without a stack: set PREFLIGHT_COMPOSE_FILE to its Compose file']
    return set([...PLACES, 'PGUSER', 'PGDATABASE', 'PGSERVICE', 'PGHOSTADDR']).length > 0
      ? []
      : [
          'no server is named: set DATABASE_URL, or PGHOST, PGUSER and PGDATABASE, or PREFLIGHT_COMPOSE_FILE to the Compose file of its stack',
        ]
  }
  if (places.length > 0)
    return [
      `${places.join(' and ')} and PREFLIGHT_COMPOSE_FILE are both set, and may name two servers: leave out one of the two`,
    ]
  return set(['PGPASSWORD', 'PGPASSFILE']).map(
    name =>
      `${name} is set beside PREFLIGHT_COMPOSE_FILE, where psql connects inside the container and is given no password: leave it out, and let the container trust ${variables.PGUSER ?? 'the user'} or have a .pgpass`,
  )
}

function composeConfig(values: Values, file: string): ComposeConfig {
  const user = values.PGUSER ?? 'postgres'
  return {
    way: 'compose',
    file,
    service: values.PREFLIGHT_COMPOSE_SERVICE ?? 'postgres',
    user,
    database: values.PGDATABASE ?? user,
    connectTimeoutSeconds: values.PGCONNECT_TIMEOUT ?? DEFAULT_CONNECT_TIMEOUT_SECONDS,
  }
}

function directConfig(values: Values): DirectConfig {
  const fromUrl = values.DATABASE_URL ?? {}
  const portOfUrl = fromUrl.port === undefined ? undefined : port.parse(fromUrl.port)
  const portNumber = portOfUrl ?? values.PGPORT ?? 5432
  const user = fromUrl.user ?? values.PGUSER ?? userInfo().username
  const own = path.join(homedir(), '.postgresql')
  return {
    way: 'direct',
    host: fromUrl.host ?? values.PGHOST ?? defaultHost(portNumber),
    port: portNumber,
    user,
    password: fromUrl.password ?? values.PGPASSWORD,
    passFile: fromUrl.passfile ?? values.PGPASSFILE ?? path.join(homedir(), '.pgpass'),
    database: fromUrl.dbname ?? values.PGDATABASE ?? user,
    sslMode: sslMode.parse(fromUrl.sslmode ?? values.PGSSLMODE ?? 'prefer'),
    sslRootCert: fromUrl.sslrootcert ?? values.PGSSLROOTCERT ?? ifThere(path.join(own, 'root.crt')),
    sslCert: fromUrl.sslcert ?? values.PGSSLCERT ?? ifThere(path.join(own, 'postgresql.crt')),
    sslKey: fromUrl.sslkey ?? values.PGSSLKEY ?? ifThere(path.join(own, 'postgresql.key')),
    connectTimeoutSeconds:
      fromUrl.connect_timeout === undefined
        ? (values.PGCONNECT_TIMEOUT ?? DEFAULT_CONNECT_TIMEOUT_SECONDS)
        : connectTimeout.parse(fromUrl.connect_timeout),
  }
}

function ifThere(file: string): string | undefined {
  return existsSync(file) ? file : undefined
}

/** The folder of the server's socket: Debian's, PostgreSQL's own, and where neither is there, this machine. */
function defaultHost(portNumber: number): string {
  const folders = ['/var/run/postgresql', '/tmp']
  return folders.find(folder => existsSync(`${folder}/.s.PGSQL.${portNumber}`)) ?? 'localhost'
}
