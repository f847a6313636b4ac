import { redact } from '../environment.ts'
import { CannotRun } from '../failure.ts'
import type { DirectConfig } from './live-config.ts'

export function whereIs({ host, port }: Pick<DirectConfig, 'host' | 'port'>, database: string): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}/${database}`
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

export function isTlsNotOffered(error: unknown): boolean {
  return error instanceof Error && error.message === 'The server does not support SSL connections'
}

/** Why a server took no connection from us, in one sentence that says what to do. What the server says is quoted, never what we sent. */
export function connectionRefused(error: unknown, config: DirectConfig): CannotRun {
  const where = whereIs(config, config.database)
  return new CannotRun(`${where} ${reason(firstOf(error), config)}`, { cause: error })
}

/** Where a name has several addresses, all of them failed. */
function firstOf(error: unknown): Error & { code?: string } {
  const [first = error] = error instanceof AggregateError ? error.errors : [error]
  return first instanceof Error ? first : new Error(String(first))
}

function reason(error: Error & { code?: string }, config: DirectConfig): string {
  const { host, port, user, database, connectTimeoutSeconds, sslMode } = config
  const said = redact(error.message.trim())
  if (isTlsNotOffered(error))
    return `offers no TLS, and sslmode is ${sslMode}: turn ssl on there, or set PGSSLMODE to prefer if the way there is safe`
  if (/^timeout expired/.test(error.message))
    return `did not answer within ${connectTimeoutSeconds} s: see whether a firewall stands between, or set PGCONNECT_TIMEOUT higher`
  if (error.message === 'Connection terminated unexpectedly')
    return 'closed the connection before it was made: see the log of what listens there, and whether it is PostgreSQL'
  switch (error.code) {
    case 'ECONNREFUSED':
      return `refuses connections: see whether the server runs, and listens on port ${port}`
    case 'ENOENT':
      return 'is not there: see whether the server runs, and name the folder of its socket (unix_socket_directories)'
    case 'EACCES':
      return 'may not be used by this operating system user: run as one that may enter the folder of the socket'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `cannot be found: nothing knows the name ${host}; put it right, or use the address`
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `cannot be reached (${error.code}): see whether the network and its firewalls let you through`
    case 'ECONNRESET':
      return 'cut the connection off before it was made: see the log of what listens there'
    case '28P01':
      return `does not take the password of ${user}: put it right`
    case '28000':
      return `does not let ${user} in (${said}): see its pg_hba.conf, and whether the role is there and may log in`
    case '3D000':
      return `has no database ${database}: name one that is there`
    case '42501':
      return `does not let ${user} connect to ${database}: grant CONNECT on it`
    case '53300':
      return 'has no connection left: wait until one is free, or raise max_connections'
    case '57P03':
      return `takes no connections at the moment (${said}): wait until it does`
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `has a certificate of an authority that the root certificate does not know (${said}): set PGSSLROOTCERT to that of its own`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `has a certificate for another name than ${host}: use the name in it, or set PGSSLMODE to verify-ca`
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return `has a certificate that is not valid now (${said}): renew it`
    default:
      return `took no connection (${error.code ? `${error.code}: ` : ''}${said}): put that right, and look again`
  }
}
