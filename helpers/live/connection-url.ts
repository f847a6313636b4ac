import { redact } from '../environment.ts'

/** What a URL may set, by libpq's names. */
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'passfile',
  'connect_timeout',
] as const

export type UrlParameter = (typeof PARAMETERS)[number]

/** What is said of the connection alone, not of where it goes: taken in and left unused. */
const IGNORED = ['application_name', 'fallback_application_name', 'gssencmode', 'keepalives', 'options']

const ADVICE = 'write it as postgresql://USER@HOST:PORT/DATABASE, with %XX for what is special in a part'

export interface ParsedUrl {
  values: Partial<Record<UrlParameter, string>>
  /** Go on from the variable's name; never show a part of the URL that could be a secret. */
  mistakes: string[]
}

/**
 * A connection URL as libpq reads it, so that one which works with psql works here. Other than in a web address, `#` means
 * nothing, and whatever stands behind the first @ is the host.
 * @see PostgreSQL documentation, "Connection URIs"
 */
export function parseConnectionUrl(url: string): ParsedUrl {
  const match =
    /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<hosts>[^/?]*)(?:\/(?<dbname>[^?]*))?(?:\?(?<query>.*))?$/s.exec(
      url,
    )
  if (!match?.groups) return { values: {}, mistakes: [`is not a connection URL: ${ADVICE}`] }
  const { user, password, hosts = '', dbname, query } = match.groups
  if (hosts.includes(','))
    return { values: {}, mistakes: ['names several hosts: name the one that is to be looked at'] }
  const address = /^(?:\[(?<v6>[^\]]*)\]|(?<host>[^:[\]@]*))(?::(?<port>\d*))?$/.exec(hosts)?.groups
  if (!address) return { values: {}, mistakes: [`has no host and port that could be read: ${ADVICE}`] }
  const mistakes: string[] = []
  const values: ParsedUrl['values'] = {}
  const set = (name: UrlParameter, encoded: string | undefined) => {
    if (encoded === undefined || encoded === '') return
    const value = decoded(encoded)
    if (value === undefined) mistakes.push(`holds a percent sign in its ${name} that begins no %XX: write it %25`)
    else values[name] = value
  }
  set('user', user)
  set('password', password)
  set('host', address.v6 ?? address.host)
  set('port', address.port)
  set('dbname', dbname)
  for (const pair of query === undefined ? [] : query.split('&')) {
    const [, key = '', value] = /^([^=]*)=([^=]*)$/s.exec(pair) ?? []
    const name = decoded(key) ?? ''
    if (value === undefined || name === '')
      mistakes.push('has a parameter behind ? that is not name=value: put it right')
    else if (name === 'ssl' && value === 'true') set('sslmode', 'require')
    else if (isParameter(name)) set(name, value)
    else if (!IGNORED.includes(name))
      mistakes.push(`has the parameter ${redact(name)}, which is not read here: leave it out`)
  }
  return { values, mistakes }
}

function isParameter(name: string): name is UrlParameter {
  return (PARAMETERS as readonly string[]).includes(name)
}

/** Undefined where a percent sign stands for nothing, or for a zero byte. */
function decoded(text: string): string | undefined {
  if (/%(?![0-9a-f]{2})|%00/i.test(text)) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
