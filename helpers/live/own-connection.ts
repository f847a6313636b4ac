/** Of libpq and of those who copy it: where a program finds a database that nobody names to it. */
const PLACES = 'DATABASE_URL|PGHOST|PGHOSTADDR|PGSERVICE'

/** That name one, with anything but a variable of the shell's in place of the server. */
const NAMES = [
  /postgres(?:ql)?:\/\/[^\s'"]*/i,
  new RegExp(String.raw`\b(?:${PLACES})=[^\s]*`),
  /(?<=\b(?:psql|pgbench|pg_\w+)\b.*)(?:--host[= ]|(?<=\s)-h ?)(?!["']?\$)\S+/,
]

const LOCAL = /^(?:localhost|127\.\d+\.\d+\.\d+|\[?::1\]?|\/.*)?$/

/**
 * What a command of the user's says of a database on its own account, which it would write to instead of the restored one: an
 * address, a variable that holds one, or the name of the server that the environment names.
 * @param environment of whoever starts the restore.
 */
export function findOwnConnection(command: string, environment: NodeJS.ProcessEnv): string | undefined {
  const named = NAMES.flatMap(pattern => pattern.exec(command)?.[0] ?? [])[0]
  if (named !== undefined) return named
  const words = command.toLowerCase().split(/[^\w.-]+/)
  return productionHosts(environment).find(host => words.includes(host.toLowerCase()))
}

function productionHosts(environment: NodeJS.ProcessEnv): string[] {
  const urls = Object.values(environment).flatMap(value => (isDatabaseUrl(value) ? hostOf(value) : []))
  return [...urls, ...(environment.PGHOST ?? '').split(',')].filter(host => !LOCAL.test(host))
}

function isDatabaseUrl(value: string | undefined): value is string {
  return value !== undefined && /^postgres(?:ql)?:\/\//i.test(value)
}

function hostOf(url: string): string[] {
  return URL.canParse(url) ? [new URL(url).hostname] : []
}

/**
 * The environment for a program of the user's that is to know of one database alone: none that names another one is left, whatever it
 * is called.
 */
export function withoutDatabases(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => !name.startsWith('PG') && !isDatabaseUrl(value)),
  )
}
